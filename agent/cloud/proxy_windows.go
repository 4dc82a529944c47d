package cloud

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemProxy is what the Internet settings of this account name, else the machine's WinHTTP setting; detection and scripts do not
// count (docs/protocol/identity.md, "Proxy set-up per OS"). The texts are never given back: a process asks once or twice.
func systemProxy() settings {
	winhttp := windows.NewLazySystemDLL("winhttp.dll")
	var user struct {
		detect                 int32
		script, server, bypass *uint16
	}
	if query(winhttp.NewProc("WinHttpGetIEProxyConfigForCurrentUser"), unsafe.Pointer(&user)) && user.server != nil {
		return settings{text(user.server), text(user.bypass)}
	}
	var machine struct {
		access         uint32
		server, bypass *uint16
	}
	const named = 3
	if query(winhttp.NewProc("WinHttpGetDefaultProxyConfiguration"), unsafe.Pointer(&machine)) && machine.access == named {
		return settings{text(machine.server), text(machine.bypass)}
	}
	return settings{}
}

// query fills a structure; false where this system does not know the question or the answer.
func query(question *windows.LazyProc, answer unsafe.Pointer) bool {
	if question.Find() != nil {
		return false
	}
	ok, _, _ := question.Call(uintptr(answer))
	return ok != 0
}

func text(p *uint16) string {
	if p == nil {
		return ""
	}
	return windows.UTF16PtrToString(p)
}
