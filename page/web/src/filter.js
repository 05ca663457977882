// What is looked at. It lives in the address, so that it can be kept, sent and gone back to.

const NAMES = ['country', 'shape', 'from', 'to'];

/** The filter of the address: those of its parts that are set. */
export function current() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
}

/** As a query string, `?` in front, or nothing. */
export function query(filter = current()) {
  const text = new URLSearchParams(filter).toString();
  return text && `?${text}`;
}

/** Changes the address; what is empty is taken out. True where it is another one now. */
export function change(parts) {
  const all = { ...current(), ...parts };
  const filter = Object.fromEntries(NAMES.filter((name) => all[name]).map((name) => [name, String(all[name])]));
  if (query(filter) === query()) return false;
  history.pushState(null, '', location.pathname + query(filter));
  return true;
}

export const isSet = (filter = current()) => Object.keys(filter).length > 0;
