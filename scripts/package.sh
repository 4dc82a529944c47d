#!/bin/sh
# scripts/package.sh KIND VERSION OS ARCH...: packages from the programs in bin/OS_ARCH, laid where the original's build lays
# them below bin/. KIND is deb, rpm, win, darwin, binaries or updates.
set -eu
cd "$(dirname "$0")/.."
kind=$1 version=$2 os=$3
shift 3
work=build/packages
made=$work/$version

# The time of every packed entry is that of the source's last commit, as `ssm-setup build` takes it.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || true); fi
if [ -n "$SOURCE_DATE_EPOCH" ]; then export SOURCE_DATE_EPOCH; fi

# make FORMATS PLATFORM packs into $made.
make() { bin/ssm-setup build --bin bin --version "$version" --platform "$2" --only "$1" --out $work >/dev/null; }

# lay FILE TO copies a package to its place.
lay() {
	mkdir -p "$(dirname "$2")"
	cp "$made/$1" "$2"
	echo "$2"
}

for arch in "$@"; do
	case $kind in
	deb)
		make deb "$os/$arch"
		lay "amazon-ssm-agent-debian-$arch.deb" "bin/debian_$arch/amazon-ssm-agent.deb"
		;;
	rpm)
		make rpm "$os/$arch"
		lay "amazon-ssm-agent-linux-$arch.rpm" "bin/linux_$arch/amazon-ssm-agent.rpm"
		;;
	win)
		make tar,msi,exe "$os/$arch"
		lay "amazon-ssm-agent-portable-windows-$arch.zip" "bin/windows_$arch/windows/package.zip"
		lay "amazon-ssm-agent-windows-$arch.msi" "bin/windows_$arch/amazon-ssm-agent.msi"
		lay "AmazonSSMAgentSetup-windows-$arch.exe" "bin/windows_$arch/AmazonSSMAgentSetup.exe"
		;;
	darwin)
		make pkg,update "$os/$arch"
		lay "amazon-ssm-agent-darwin-$arch.pkg" "bin/darwin_$arch/amazon-ssm-agent.pkg"
		mkdir -p "bin/darwin_$arch/darwin"
		tar -xzf "$made/amazon-ssm-agent-darwin-$arch.tar.gz" -C "bin/darwin_$arch/darwin" amazon-ssm-agent.tar.gz
		echo "bin/darwin_$arch/darwin/amazon-ssm-agent.tar.gz"
		cp "bin/darwin_$arch/darwin/amazon-ssm-agent.tar.gz" "bin/amazon-ssm-agent-darwin-$arch-$version.tar.gz"
		;;
	binaries)
		make binaries "$os/$arch"
		lay "amazon-ssm-agent-binaries-$os-$arch.tar.gz" "bin/${os}_$arch/amazon-ssm-agent-binaries.tar.gz"
		;;
	updates)
		formats=update,updater
		if [ "$os" = linux ]; then formats=$formats,update-ubuntu,updater-ubuntu,update-snap,updater-snap; fi
		if [ "$os/$arch" = windows/amd64 ]; then formats=$formats,update-nano,updater-nano; fi
		make "$formats" "$os/$arch"
		for file in "$made"/amazon-ssm-agent-*"-$arch".tar.gz "$made"/amazon-ssm-agent-*"-$arch".tar "$made"/amazon-ssm-agent-*"-$arch".zip; do
			name=${file##*/}
			case $name in
			'amazon-ssm-agent-*'* | *-portable-* | *-binaries-*) ;;
			amazon-ssm-agent-updater-*) lay "$name" "bin/updates/amazon-ssm-agent-updater/$version/$name" ;;
			*) lay "$name" "bin/updates/amazon-ssm-agent/$version/$name" ;;
			esac
		done
		;;
	esac
done
