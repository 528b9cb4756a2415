import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The origin that auth-service allows by default.
const server = { port: 5173, strictPort: true };

export default defineConfig({ plugins: [react()], server, preview: server });
