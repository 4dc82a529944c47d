package service

import "testing"

func TestAJobThatIsDisabledDoesNotComeBack(t *testing.T) {
	for list, want := range map[string]string{"": Enabled, "\t\"com.amazon.aws.ssm\" => disabled\n": Disabled,
		"\t\"com.amazon.aws.ssm\" => true\n": Disabled, "\t\"com.amazon.aws.ssm\" => enabled\n": Enabled,
		"\t\"com.apple.other\" => disabled\n": Enabled} {
		if got := bootOf(list); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
