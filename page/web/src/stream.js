// The updates: one event source for the filter at hand. The browser connects again by itself; what is new then comes whole.

let source = null;
let refused = null;

/** Follows a filter instead of the one before. */
export function follow(query, { onUpdate, onState }) {
  source?.close();
  clearTimeout(refused);
  onState('connecting');
  const mine = new EventSource(`/api/events${query}`);
  source = mine;
  mine.addEventListener('update', (event) => {
    onState('live');
    onUpdate(JSON.parse(event.data));
  });
  mine.addEventListener('error', () => {
    if (source !== mine) return;
    onState('away');
    // Closed for good: the server said no, or is gone. Asked again after a while.
    if (mine.readyState === EventSource.CLOSED) {
      refused = setTimeout(() => follow(query, { onUpdate, onState }), 3000);
    }
  });
}
