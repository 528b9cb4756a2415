/** Floor: bare Express 5 that parses a JSON body and compares its password. */
import bcrypt from 'bcrypt';
import express from 'express';
import { PASSWORD } from '../lib/accounts.mjs';
import { listen } from '../lib/listen.mjs';

const hash = await bcrypt.hash(PASSWORD, 10);

const app = express();
app.set('etag', false);
app.disable('x-powered-by');

app.post('/login', express.json(), async (req, res) => {
  res.json({ matches: await bcrypt.compare(req.body.password, hash) });
});

listen(app);
