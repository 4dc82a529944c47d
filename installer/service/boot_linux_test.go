package service

import "testing"

func TestAServiceThatIsNotEnabledDoesNotComeBack(t *testing.T) {
	for word, want := range map[string]string{"enabled": Enabled, "disabled": Disabled, "masked": Masked, "masked-runtime": Masked,
		"enabled-runtime": Disabled, "static": Disabled, "not-found": "", "": ""} {
		if got := bootOf(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
