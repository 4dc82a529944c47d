package caller

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// InstanceRegion is the region of the EC2 instance that this process runs on, from its metadata. The SDK's client honours
// AWS_EC2_METADATA_SERVICE_ENDPOINT and its mode, and takes no proxy.
func InstanceRegion(ctx context.Context) (string, error) {
	answer, err := imds.New(imds.Options{}).GetRegion(ctx, &imds.GetRegionInput{})
	if err != nil {
		return "", err
	}
	return answer.Region, nil
}
