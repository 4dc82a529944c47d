//go:build unix

package story_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// places are where the commands of a script have their output kept: a bucket and a log group, "" for none; the last command.
type places struct {
	bucket, group, last string
}

// setOutputs says where the output of the commands that follow goes.
func setOutputs(ts *testscript.TestScript, s *story, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: outputs BUCKET GROUP, - for none")
	}
	s.places = places{bucket: strings.TrimPrefix(args[0], "-"), group: strings.TrimPrefix(args[1], "-")}
}

// ask completes a command's request.
func (p places) ask(in *ssm.SendCommandInput) {
	if p.bucket != "" {
		in.OutputS3BucketName, in.OutputS3KeyPrefix = &p.bucket, aws.String("pre")
	}
	if p.group != "" {
		in.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{CloudWatchOutputEnabled: true, CloudWatchLogGroupName: &p.group}
	}
}

// showKept prints what the region shows of both streams' addresses and what is there.
func showKept(ts *testscript.TestScript, s *story, _ []string) {
	got, err := s.client.GetCommandInvocation(context.Background(), &ssm.GetCommandInvocationInput{CommandId: &s.places.last,
		InstanceId: s.node(ts).InstanceId})
	ts.Check(err)
	for _, at := range []*string{got.StandardOutputUrl, got.StandardErrorUrl} {
		if aws.ToString(at) == "" {
			fmt.Fprintln(ts.Stdout(), "nothing")
			continue
		}
		u, err := url.Parse(*at)
		ts.Check(err)
		bucket, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		data, err := s.region.GetFrom(bucket, key)
		ts.Check(err)
		fmt.Fprintf(ts.Stdout(), "%s/%s: %s\n", bucket, key, data)
	}
}

// showLogged prints the events of a log group with their streams.
func showLogged(ts *testscript.TestScript, s *story, args []string) {
	admin := s.region.Admin()
	c := cloud.New(cloud.Options{Region: s.region.Name(), Endpoint: s.region.URL(), Service: cloud.Logs().Name, Target: cloud.Logs().Target,
		Credentials: credentials.NewStaticCredentialsProvider(admin.AccessKeyID, admin.SecretAccessKey, "")})
	var out struct {
		Events []struct{ LogStreamName, Message string }
	}
	ts.Check(c.Call(context.Background(), "FilterLogEvents", map[string]string{"logGroupName": args[0]}, &out))
	for _, e := range out.Events {
		fmt.Fprintf(ts.Stdout(), "%s: %s", e.LogStreamName, e.Message)
	}
}
