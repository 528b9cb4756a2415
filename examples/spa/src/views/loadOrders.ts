import { AuthProblem } from 'auth-service-client';
import { auth } from '../auth';
import { settings } from '../settings';

export interface Order {
  id: number;
  article: string;
}

/** The user's orders, from another service that takes the same cookies. */
export async function loadOrders(): Promise<Order[]> {
  const response = await auth.fetch(`${settings.ordersUrl}/orders`);
  if (!response.ok) throw await AuthProblem.of(response);
  return ((await response.json()) as { orders: Order[] }).orders;
}
