//go:build !windows

package cloud

// systemProxy is empty: here the environment is where proxies are set.
func systemProxy() settings { return settings{} }
