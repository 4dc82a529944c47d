# Machines that are managed nodes from their first boot: an activation for as many, and user data that uses it.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "machines" {
  type    = number
  default = 3
}

variable "image" {
  type = string
}

variable "tool_sha256" {
  type        = string
  description = "of ssm-setup-linux-amd64, from SHA256SUMS of the release"
}

resource "aws_iam_role" "node" {
  name = "managed-node"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ssm.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_ssm_activation" "nodes" {
  name               = "managed-nodes"
  iam_role           = aws_iam_role.node.id
  registration_limit = var.machines
  expiration_date    = timeadd(timestamp(), "1h")
  depends_on         = [aws_iam_role_policy_attachment.node]

  lifecycle {
    ignore_changes = [expiration_date]
  }
}

resource "aws_instance" "node" {
  count         = var.machines
  ami           = var.image
  instance_type = "t3.micro"

  user_data = join("\n", [
    "#!/bin/sh",
    "export REGION='${var.region}'",
    "export SSM_SETUP_SOURCE='https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}'",
    "export TOOL='https://s3.${var.region}.amazonaws.com/my-ssm-${var.region}/latest/linux_amd64/ssm-setup'",
    "export TOOL_SHA256='${var.tool_sha256}'",
    "export SSM_ACTIVATION_ID='${aws_ssm_activation.nodes.id}'",
    "export SSM_ACTIVATION_CODE='${aws_ssm_activation.nodes.activation_code}'",
    file("${path.module}/user-data.sh"),
  ])

  metadata_options {
    http_tokens = "required"
  }
}
