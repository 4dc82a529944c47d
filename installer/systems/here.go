package systems

import "runtime"

// Here are the facts of this machine; what cannot be found out stays empty.
func Here() Facts {
	f := Facts{OS: runtime.GOOS}
	f.detect()
	return f
}
