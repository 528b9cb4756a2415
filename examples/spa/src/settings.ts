/** Where the services are. `VITE_AUTH_URL` and `VITE_ORDERS_URL` change it when Vite starts or builds. */
export const settings = {
  authUrl: (import.meta.env.VITE_AUTH_URL as string | undefined) ?? 'http://localhost:5501',
  ordersUrl: (import.meta.env.VITE_ORDERS_URL as string | undefined) ?? 'http://localhost:5600',
};
