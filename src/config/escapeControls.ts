import { format } from 'winston';

const MESSAGE = Symbol.for('message');

/** DEL, the C1 controls and two line separators: JSON leaves them as they are, and terminals obey them. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

const escaped = (character: string) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A winston format, behind `json`, that escapes the control characters that JSON allows in text. */
export const escapeControls = format((info) => {
  info[MESSAGE] = String(info[MESSAGE]).replace(CONTROLS, escaped);
  return info;
});
