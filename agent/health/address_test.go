package health

import (
	"net"
	"testing"
)

func TestAPingNamesTheBestAddress(t *testing.T) {
	parse := func(list ...string) (all []net.Addr) {
		for _, text := range list {
			ip, n, err := net.ParseCIDR(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, &net.IPNet{IP: ip, Mask: n.Mask})
		}
		return all
	}
	for _, c := range []struct {
		all  []net.Addr
		want string
	}{
		{parse("127.0.0.1/8", "::1/128", "fd00::5/64", "10.0.0.5/24"), "10.0.0.5"},
		{parse("127.0.0.1/8", "fe80::1/64", "fd00::5/64"), "fd00::5"},
		{parse("127.0.0.1/8", "::1/128"), "127.0.0.1"},
		{nil, ""},
	} {
		if got := addressOf(c.all); got != c.want {
			t.Errorf("%v: %q, want %q", c.all, got, c.want)
		}
	}
}
