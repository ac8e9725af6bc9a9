/** How a store keeps what is put there. */
export interface Retention {
  days: number;
  lock: 'compliance' | 'governance';
}
