/** Floor: Express 5 that responds with a constant as JSON. */
import express from 'express';
import { listen } from '../lib/listen.mjs';

const app = express();
app.set('etag', false);
app.disable('x-powered-by');

app.get('/', (_req, res) => {
  res.json({ message: 'User details fetched successfully', user: { id: 1, role: 'customer' } });
});

listen(app);
