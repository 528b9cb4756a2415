const { escapeLiteral } = require('pg');

/**
 * A node of a plan, as EXPLAIN (FORMAT JSON) gives it.
 *
 * @typedef {{
 *   'Node Type': string,
 *   'Relation Name'?: string,
 *   'Index Name'?: string,
 *   'Actual Loops'?: number,
 *   Plans?: PlanNode[],
 * }} PlanNode
 */

/**
 * @param {PlanNode} node
 * @returns {PlanNode[]}
 */
const nodesOf = (node) => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** @param {unknown} value */
const literal = (value) => {
  if (value === null) return 'NULL';
  const text = Array.isArray(value)
    ? `{${value.map((item) => JSON.stringify(item)).join()}}`
    : value;
  return escapeLiteral(String(text));
};

/**
 * Runs a statement by its general plan, undoes what it did, and resolves to the nodes of the plan that ran,
 * and to the milliseconds that it took.
 *
 * @param {(sql: string) => Promise<unknown>} run on one connection; resolves to the rows of a query
 * @param {string} text
 * @param {readonly unknown[]} values
 */
async function explainExecuted(run, text, values) {
  await run('BEGIN');
  await run('SET LOCAL plan_cache_mode = force_generic_plan');
  await run(`PREPARE explained AS ${text}`);
  const [row] = /** @type {{ 'QUERY PLAN': { Plan: PlanNode, 'Execution Time': number }[] }[]} */ (
    await run(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained (${values.map(literal).join()})`,
    )
  );
  await run('ROLLBACK');
  await run('DEALLOCATE explained');
  const explained = row?.['QUERY PLAN'][0];
  if (explained === undefined) throw new Error('no plan');
  const { Plan: plan, 'Execution Time': milliseconds } = explained;
  const nodes = nodesOf(plan).filter((node) => (node['Actual Loops'] ?? 0) > 0);
  return { nodes, milliseconds };
}

module.exports = { explainExecuted };
