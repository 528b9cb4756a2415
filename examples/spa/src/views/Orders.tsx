import { Heading } from '../Heading';
import { Loaded } from '../tasks/Loaded';
import { useLoaded } from '../tasks/useLoaded';
import { loadOrders } from './loadOrders';

export function Orders() {
  const orders = useLoaded(loadOrders);
  return (
    <>
      <Heading>Orders</Heading>
      <section className="card">
        <Loaded what={orders}>
          {(list) =>
            list.length === 0 ? (
              <p>You have not ordered anything yet.</p>
            ) : (
              <ul className="rows">
                {list.map(({ id, article }) => (
                  <li key={id}>
                    <strong>{article}</strong>
                    <span className="tag">No. {id}</span>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </section>
    </>
  );
}
