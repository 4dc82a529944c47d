package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Every payload is read as every kind of payload: what was read and written once reads the same again.
func FuzzPayloads(f *testing.F) {
	for _, text := range []string{
		`{"Parameters":{"commands":["echo hi"]},"DocumentContent":{"schemaVersion":"1.2"},"CommandId":"2b196342-d7d4-436e-8f09-3883a1116ac3",` +
			`"DocumentName":"AWS-RunShellScript","OutputS3KeyPrefix":"","CloudWatchOutputEnabled":"false"}`,
		`{"additionalInfo":{"agent":{"lang":"en-US","name":"amazon-ssm-agent","os":"linux","osver":"1","ver":"9.1.0.0"},` +
			`"dateTime":"2024-01-02T03:04:05.700Z","runId":"","runtimeStatusCounts":{"Success":1}},"documentStatus":"Success",` +
			`"runtimeStatus":{"runIt":{"status":"Success","code":0,"startDateTime":"2024-01-02T03:04:05.700Z"}}}`,
		`{"CancelMessageId":"aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0"}`,
		`{"__type":"com.amazon.coral#AccessDeniedException:http","message":"no"}`, `{"code":"x"}`, `<html>`,
		`1700000000.25`, `"2024-01-02T03:04:05Z"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, into := range []func() any{func() any { return &wire.SendCommand{} }, func() any { return &wire.Reply{} },
			func() any { return &wire.CancelCommand{} }, func() any { return &wire.Epoch{} }} {
			first := into()
			if json.Unmarshal(text, first) != nil {
				continue
			}
			if e, ok := first.(*wire.Epoch); ok && (e.Year() < 1 || e.Year() > 9999) {
				continue // no service sends that
			}
			once, err := json.Marshal(first)
			if err != nil {
				continue // a time outside of the years that JSON has
			}
			second := into()
			if err := json.Unmarshal(once, second); err != nil {
				t.Fatalf("%T: %s does not read: %v", first, once, err)
			}
			if twice, err := json.Marshal(second); err != nil || string(twice) != string(once) {
				t.Errorf("%T: %s became %s, %v", first, once, twice, err)
			}
		}
		if e, ok := wire.ParseError(text); ok != (e.Code != "") {
			t.Errorf("%+v, %v", e, ok)
		}
	})
}
