package local_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestAParameterHasVersionsAndOneType(t *testing.T) {
	r := local.Start(t)
	c, ctx, name := people(r), context.Background(), aws.String("/app/colour")
	set := func(value string, kind types.ParameterType, overwrite bool) (int64, error) {
		out, err := c.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: &value, Type: kind, Overwrite: &overwrite})
		if err != nil {
			return 0, err
		}
		return out.Version, nil
	}
	if v, err := set("blue", types.ParameterTypeString, false); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	_, err := set("red", types.ParameterTypeString, false)
	wantCode(t, err, "ParameterAlreadyExists")
	_, err = set("red", types.ParameterTypeSecureString, true)
	wantCode(t, err, "HierarchyTypeMismatchException")
	if v, err := set("red", "", true); v != 2 || err != nil {
		t.Fatal(v, err)
	}
	for reference, want := range map[string]string{"/app/colour": "red", "/app/colour:1": "blue", "/app/colour:2": "red"} {
		got, err := c.GetParameter(ctx, &ssm.GetParameterInput{Name: &reference})
		must(t, err)
		if *got.Parameter.Value != want || *got.Parameter.ARN != "arn:aws:ssm:local:123456789012:parameter/app/colour" {
			t.Errorf("%s: %+v", reference, got.Parameter)
		}
	}
	_, err = c.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/colour:9")})
	wantCode(t, err, "ParameterVersionNotFound")
	_, err = c.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: name})
	must(t, err)
	_, err = c.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
	wantCode(t, err, "ParameterNotFound")
	_, err = c.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("digits"), Value: aws.String("x"), Type: types.ParameterTypeString,
		AllowedPattern: aws.String(`^\d+$`)})
	wantCode(t, err, "ParameterPatternMismatchException")
	_, err = c.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("aws-x"), Value: aws.String("x"), Type: types.ParameterTypeString})
	wantCode(t, err, "ValidationException")
}

func TestANodeReadsParametersAndWritesNone(t *testing.T) {
	r := local.Start(t)
	c, ctx, n := people(r), context.Background(), newNode(t, r)
	for name, kind := range map[string]types.ParameterType{"plain": types.ParameterTypeString, "secret": types.ParameterTypeSecureString} {
		_, err := c.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("value"), Type: kind})
		must(t, err)
	}
	var got struct {
		Parameters        []struct{ Name, Type, Value string }
		InvalidParameters []string
	}
	must(t, n.ssm("GetParameters", map[string]any{"Names": []string{"plain", "secret", "none"}, "WithDecryption": false}, &got))
	if len(got.Parameters) != 2 || got.Parameters[0].Value != "value" || got.Parameters[1].Value == "value" ||
		got.Parameters[1].Type != "SecureString" || len(got.InvalidParameters) != 1 || got.InvalidParameters[0] != "none" {
		t.Errorf("%+v", got)
	}
	must(t, n.ssm("GetParameters", map[string]any{"Names": []string{"secret"}, "WithDecryption": true}, &got))
	if got.Parameters[0].Value != "value" {
		t.Errorf("decrypted: %+v", got.Parameters)
	}
	wantCode(t, n.ssm("PutParameter", map[string]any{"Name": "mine", "Value": "x", "Type": "String"}, nil), "AccessDeniedException")
}

func TestParametersAreFoundByPathLabelAndHistory(t *testing.T) {
	r := local.Start(t)
	c, ctx, n := people(r), context.Background(), newNode(t, r)
	put := func(name, value string, kind types.ParameterType) {
		t.Helper()
		_, err := c.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: aws.Bool(true)})
		must(t, err)
	}
	for _, name := range []string{"/app/a", "/app/b", "/app/deep/c", "/apple", "plain"} {
		put(name, "of "+name, types.ParameterTypeString)
	}
	put("/app/secret", "hush", types.ParameterTypeSecureString)
	byPath := func(in fields) string {
		t.Helper()
		var names []string
		for {
			var out struct {
				Parameters []struct{ Name, Value string }
				NextToken  string
			}
			must(t, n.ssm("GetParametersByPath", in, &out)) // documents and scripts on nodes read by path
			for _, p := range out.Parameters {
				if p.Value == "hush" && in["WithDecryption"] != true {
					t.Error("a secret is told without being asked for")
				}
				names = append(names, p.Name)
			}
			if in["NextToken"] = out.NextToken; out.NextToken == "" {
				return strings.Join(names, " ")
			}
		}
	}
	for _, got := range [][2]string{
		{byPath(fields{"Path": "/app"}), "/app/a /app/b /app/secret"},
		{byPath(fields{"Path": "/app/", "Recursive": true, "MaxResults": 2}), "/app/a /app/b /app/deep/c /app/secret"},
		{byPath(fields{"Path": "/", "Recursive": true}), "/app/a /app/b /app/deep/c /app/secret /apple"},
		{byPath(fields{"Path": "/app", "ParameterFilters": []fields{{"Key": "Type", "Values": []string{"SecureString"}}}}), "/app/secret"},
	} {
		if got[0] != got[1] {
			t.Errorf("by path: %q, not %q", got[0], got[1])
		}
	}
	put("/app/a", "second", "")
	put("/app/a", "third", "")
	label := func(version int64, labels ...string) *ssm.LabelParameterVersionOutput {
		t.Helper()
		out, err := c.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("/app/a"), ParameterVersion: &version,
			Labels: labels})
		must(t, err)
		return out
	}
	if out := label(1, "prod", "1st", "aws-x"); strings.Join(out.InvalidLabels, " ") != "1st aws-x" {
		t.Errorf("%+v", out)
	}
	label(2, "prod", "test")
	for reference, want := range map[string]string{"/app/a:prod": "second", "/app/a:test": "second", "/app/a:1": "of /app/a",
		"arn:aws:ssm:local:123456789012:parameter/app/a:prod": "second", "arn:aws:ssm:local:123456789012:parameter/plain": "of plain"} {
		got, err := c.GetParameter(ctx, &ssm.GetParameterInput{Name: &reference})
		must(t, err)
		if *got.Parameter.Value != want {
			t.Errorf("%s is %q", reference, *got.Parameter.Value)
		}
	}
	history, err := c.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/app/a")})
	must(t, err)
	if h := history.Parameters; len(h) != 3 || *h[0].Value != "of /app/a" || len(h[0].Labels) != 0 ||
		strings.Join(h[1].Labels, " ") != "prod test" || h[2].Version != 3 || h[2].Tier != types.ParameterTierStandard {
		t.Errorf("%+v", h)
	}
	gone, err := c.UnlabelParameterVersion(ctx, &ssm.UnlabelParameterVersionInput{Name: aws.String("/app/a"), ParameterVersion: aws.Int64(2),
		Labels: []string{"test", "other"}})
	must(t, err)
	if strings.Join(gone.RemovedLabels, " ") != "test" || strings.Join(gone.InvalidLabels, " ") != "other" {
		t.Errorf("%+v", gone)
	}
	described, err := c.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{
		{Key: aws.String("Name"), Option: aws.String("Contains"), Values: []string{"app/"}},
		{Key: aws.String("Type"), Values: []string{"String"}}}})
	must(t, err)
	if d := described.Parameters; len(d) != 3 || *d[0].Name != "/app/a" || d[0].Version != 3 ||
		*d[0].ARN != "arn:aws:ssm:local:123456789012:parameter/app/a" {
		t.Errorf("%+v", d)
	}
	_, err = c.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{
		{Key: aws.String("Mood"), Values: []string{"x"}}}})
	wantCode(t, err, "InvalidFilterKey")
}

func TestATierBoundsAParametersValueAndVersions(t *testing.T) {
	r := local.Start(t)
	c, ctx := people(r), context.Background()
	put := func(name string, bytes int, tier types.ParameterTier) (types.ParameterTier, error) {
		value := strings.Repeat("x", bytes)
		out, err := c.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString, Tier: tier,
			Overwrite: aws.Bool(true)})
		if err != nil {
			return "", err
		}
		return out.Tier, nil
	}
	for _, c := range []struct {
		name  string
		bytes int
		tier  types.ParameterTier
		want  types.ParameterTier
		code  string
	}{
		{"a", 4096, "", types.ParameterTierStandard, ""},
		{"a", 4097, "", "", "ValidationException"},
		{"a", 4097, types.ParameterTierIntelligentTiering, types.ParameterTierAdvanced, ""},
		{"a", 1, "", types.ParameterTierAdvanced, ""},
		{"a", 1, types.ParameterTierStandard, "", "ValidationException"},
		{"b", 1, types.ParameterTierIntelligentTiering, types.ParameterTierStandard, ""},
		{"b", 8192, types.ParameterTierAdvanced, types.ParameterTierAdvanced, ""},
		{"b", 8193, types.ParameterTierAdvanced, "", "ValidationException"},
		{"no/slash", 1, "", "", "ValidationException"},
		{strings.Repeat("/x", 16), 1, "", "", "HierarchyLevelLimitExceededException"},
	} {
		got, err := put(c.name, c.bytes, c.tier)
		switch {
		case c.code != "":
			wantCode(t, err, c.code)
		case err != nil || got != c.want:
			t.Errorf("%s, %d bytes, %s: %s %v", c.name, c.bytes, c.tier, got, err)
		}
	}
	for range 100 {
		_, err := put("many", 1, "")
		must(t, err)
	}
	_, err := c.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("many"), ParameterVersion: aws.Int64(1),
		Labels: []string{"keep"}})
	must(t, err)
	_, err = put("many", 1, "")
	wantCode(t, err, "ParameterMaxVersionLimitExceeded")
	_, err = c.UnlabelParameterVersion(ctx, &ssm.UnlabelParameterVersionInput{Name: aws.String("many"), ParameterVersion: aws.Int64(1),
		Labels: []string{"keep"}})
	must(t, err)
	_, err = put("many", 1, "")
	must(t, err)
	_, err = c.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("many:1")})
	wantCode(t, err, "ParameterVersionNotFound")
}
