package local_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestActivationsHaveLimits(t *testing.T) {
	r := local.Start(t)
	client := people(r)
	for name, in := range map[string]ssm.CreateActivationInput{
		"no role":           {IamRole: aws.String("")},
		"limit too high":    {IamRole: aws.String("R"), RegistrationLimit: aws.Int32(1001)},
		"limit too low":     {IamRole: aws.String("R"), RegistrationLimit: aws.Int32(0)},
		"role too long":     {IamRole: aws.String(strings.Repeat("r", 65))},
		"description":       {IamRole: aws.String("R"), Description: aws.String(strings.Repeat("d", 257))},
		"tag of the system": {IamRole: aws.String("R"), Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}},
	} {
		_, err := client.CreateActivation(context.Background(), &in)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		wantCode(t, err, "ValidationException")
	}
	for _, end := range []time.Duration{-time.Minute, 31 * 24 * time.Hour} {
		_, err := client.CreateActivation(context.Background(), &ssm.CreateActivationInput{IamRole: aws.String("R"),
			ExpirationDate: aws.Time(time.Now().Add(end))})
		wantCode(t, err, "InvalidParameters")
	}
}

func TestActivationsAreListed(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	made, err := client.CreateActivation(ctx, &ssm.CreateActivationInput{IamRole: aws.String("Special"), Description: aws.String("for tests"),
		DefaultInstanceName: aws.String("host"), RegistrationLimit: aws.Int32(3),
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	must(t, err)
	for range 4 {
		_, _, err := r.CreateActivation(1)
		must(t, err)
	}
	seen := 0
	for pages := ssm.NewDescribeActivationsPaginator(client, &ssm.DescribeActivationsInput{MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		seen += len(page.ActivationList)
	}
	if seen != 5 {
		t.Errorf("%d activations over all pages", seen)
	}
	found, err := client.DescribeActivations(ctx, &ssm.DescribeActivationsInput{Filters: []types.DescribeActivationsFilter{
		{FilterKey: types.DescribeActivationsFilterKeysIamRole, FilterValues: []string{"Special"}}}})
	must(t, err)
	if len(found.ActivationList) != 1 {
		t.Fatalf("%d found by role", len(found.ActivationList))
	}
	a := found.ActivationList[0]
	if *a.ActivationId != *made.ActivationId || *a.RegistrationLimit != 3 || a.Expired || *a.Description != "for tests" || len(a.Tags) != 1 ||
		a.ExpirationDate.Sub(*a.CreatedDate) != 24*time.Hour {
		t.Errorf("%+v", a)
	}
	_, err = client.DescribeActivations(ctx, &ssm.DescribeActivationsInput{NextToken: aws.String("nonsense")})
	wantCode(t, err, "InvalidNextToken")
	_, err = client.DescribeActivations(ctx, &ssm.DescribeActivationsInput{Filters: []types.DescribeActivationsFilter{{FilterKey: "Mood",
		FilterValues: []string{"x"}}}})
	wantCode(t, err, "InvalidFilter")
}

func TestARegistrationSpendsAnActivation(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	made, err := client.CreateActivation(ctx, &ssm.CreateActivationInput{IamRole: aws.String("Nodes"), DefaultInstanceName: aws.String("host"),
		RegistrationLimit: aws.Int32(2), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	must(t, err)
	id, code := *made.ActivationId, *made.ActivationCode
	n := &agentNode{t: t, region: r, key: nodeKeys()[0], fingerprint: uuid.NewString()}
	wantCode(t, n.register(id, strings.Repeat("x", 26)), "InvalidActivation")
	wantCode(t, n.register(uuid.NewString(), code), "InvalidActivation")
	wantCode(t, n.register(id, "short"), "ValidationException")
	must(t, n.register(id, code))
	if len(n.id) != 20 || !strings.HasPrefix(n.id, "mi-") || strings.Trim(n.id[3:], "0123456789abcdef") != "" {
		t.Errorf("id %q", n.id)
	}
	if node := r.Instances()[0]; node.Name != "host" || node.Role != "Nodes" || len(node.Tags) != 1 || node.ActivationID != id ||
		node.PingStatus != "Inactive" {
		t.Errorf("%+v", node)
	}
	must(t, n.register(id, code))
	wantCode(t, n.register(id, code), "RegistrationLimitExceeded")
	r.Advance(25 * time.Hour)
	wantCode(t, n.register(id, code), "ActivationExpired")
	_, err = client.DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: aws.String(id)})
	must(t, err)
	wantCode(t, n.register(id, code), "InvalidActivation")
	_, err = client.DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: aws.String(id)})
	wantCode(t, err, "InvalidActivation")
	_, err = client.DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: aws.String("mine")})
	wantCode(t, err, "InvalidActivationId")
}
