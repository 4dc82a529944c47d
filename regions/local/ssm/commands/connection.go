package commands

import "github.com/ssm-setup/ssm-setup/regions/local/protocol"

// getConnectionStatus tells whether a node has a control channel open (the SDK's type GetConnectionStatusOutput). Of a node that the
// region does not know it is notconnected.
func (tr *Tracker) getConnectionStatus(c *protocol.Call) (any, error) {
	var in struct{ Target string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("target", in.Target)
	k.Length("target", in.Target, 1, 400)
	if err := k.Err(); err != nil {
		return nil, err
	}
	status := "notconnected"
	if tr.mail.HasChannel(in.Target) {
		status = "connected"
	}
	return struct{ Target, Status string }{in.Target, status}, nil
}
