// pusher-js against the box: one JSON line per thing seen, until its stdin is closed.
//
//   node listen.cjs '{"module": "...", "key": "...", "host": "...", "port": 1, "token": "...",
//                     "endpoint": "...", "channels": {"private-...": ["orders"]}}'
//
// Every private channel is authorised by the library's own request to `endpoint`.
const given = JSON.parse(process.argv[2]);
const Pusher = require(given.module);
const say = (fact) => process.stdout.write(JSON.stringify(fact) + "\n");

const pusher = new Pusher(given.key, {
  cluster: "mt1",
  wsHost: given.host,
  wsPort: given.port,
  forceTLS: false,
  enabledTransports: ["ws"],
  disableStats: true,
  channelAuthorization: {
    endpoint: given.endpoint,
    transport: "ajax",
    headers: { Authorization: "Bearer " + given.token },
  },
});
pusher.connection.bind("state_change", (s) => say({ state: s.current }));
pusher.connection.bind("error", (e) => say({ error: e && e.error && e.error.data }));
for (const [name, events] of Object.entries(given.channels)) {
  const channel = pusher.subscribe(name);
  channel.bind("pusher:subscription_succeeded", () => say({ subscribed: name }));
  channel.bind("pusher:subscription_error", (e) => say({ refused: name, status: e.status }));
  for (const event of events) {
    channel.bind(event, (data) => say({ event, channel: name, data }));
  }
}
process.stdin.on("end", () => {
  pusher.disconnect();
  process.exit(0);
});
process.stdin.resume();
