// Package console is the page for people of a local region: what hosts, commands, documents, activations, releases and calls there
// are, live, in a browser.
//
//	console.go   open, close, the port; names.go which names it answers to
//	guard.go     one request: host, origin, session, headers
//	entry.go     one-time addresses and sessions
//	door.go      how another process of the same account gets a one-time address
//	stream.go    server-sent events: how often, how many, what happens to a slow reader
//	page.go      the table of pages; render.go how they are written
//	hosts.go, host.go, history.go, commands.go, send.go, documents.go, activations.go, releases.go, calls.go  one page each
//	assets.go    what is sent as it is: style, own script, vendored libraries (assets/vendored.cdx.json says which)
//
// The console reads and changes the region through its facade, as the administrator; it holds no state but sessions and what it
// has read of pings. What a host tells the region, the console shows; what no host tells, it calls not told.
//
// Who may look: the console listens on loopback, on a port of its own, and answers to console.localhost alone. Its origin is never
// that of the region's buckets. A one-time address, good for 60 s and once, gives a session: a path that cannot be guessed, and a
// cookie that browsers send below that path only, so that a server at another port of the same name is sent neither. What changes
// something must come from the console's own origin. Beyond loopback it speaks TLS only.
//
// What must always be true: no text of a host, document, command or object becomes markup or script (html/template escapes it, and
// the policy forbids inline script); no secret is logged; a reader that does not read costs one buffer and is let go.
package console
