# An image with the package in it, not registered: each machine registers itself at its first boot (user-data.sh). In an image no service
# manager runs; the package sees that and starts nothing.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "version" {
  type    = string
  default = "9.1.0.0"
}

source "amazon-ebs" "debian" {
  region        = var.region
  instance_type = "t3.small"
  ssh_username  = "admin"
  ami_name      = "managed-node-${var.version}-{{timestamp}}"
  source_ami_filter {
    owners      = ["136693071363"]
    most_recent = true
    filters     = { name = "debian-12-amd64-*" }
  }
}

build {
  sources = ["source.amazon-ebs.debian"]

  # From `ssm-setup build`, checked with `ssm-setup verify` before.
  provisioner "file" {
    source      = "dist/${var.version}/amazon-ssm-agent-debian-amd64.deb"
    destination = "/tmp/amazon-ssm-agent.deb"
  }

  provisioner "shell" {
    inline = [
      "sudo dpkg -i /tmp/amazon-ssm-agent.deb",
      "rm /tmp/amazon-ssm-agent.deb",
      "sudo rm -rf /var/lib/amazon/ssm/Vault /var/lib/amazon/ssm/registration",
    ]
  }
}
