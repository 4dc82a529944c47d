package caller_test

import (
	"encoding/json"
	"testing"
)

// replaceMember is a JSON object with one member exchanged.
func replaceMember(t *testing.T, text []byte, name string, value any) []byte {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	members[name] = value
	changed, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
