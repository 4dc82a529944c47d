// Package ssmmessages is the service ssmmessages of a local region. Its channels come with sessions; until they are there,
// every request for one is denied in the words by which an agent knows that it has to poll ec2messages instead
// (docs/protocol/session.md, "CreateControlChannel / CreateDataChannel", "Connection state, fallback, hibernation"). It owns no
// records.
package ssmmessages

import (
	"errors"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// Service is the row of ssmmessages in the dispatch table. No bucket can have its paths: names of buckets have three characters
// or more.
func Service() protocol.Service {
	operations := map[string]string{"/v1/control-channel/": "CreateControlChannel", "/v1/data-channel/": "CreateDataChannel"}
	return protocol.Service{Name: "ssmmessages", Claim: func(a *protocol.Answer) (protocol.Handler, bool) {
		for prefix, name := range operations {
			if strings.HasPrefix(a.Request.URL.Path, prefix) {
				return protocol.Handler{Operation: name, Serve: deny, Fail: fail}, true
			}
		}
		return protocol.Handler{}, false
	}}
}

func deny(*protocol.Answer) error {
	return protocol.Refuse("AccessDeniedException", "this region has no channels: messages are to be polled")
}

// fail writes an error as the service does: the code is the root element, and an agent looks for it.
func fail(a *protocol.Answer, err error) {
	var f protocol.Fault
	if !errors.As(err, &f) {
		f = protocol.Failed()
	}
	a.Code = f.Code
	a.Header().Set("x-amzn-ErrorType", f.Code)
	a.WriteText(f.HTTPStatus(), "text/xml", "<"+f.Code+"><Message>"+f.Message+"</Message></"+f.Code+">")
}
