package local_test

import (
	"context"
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
