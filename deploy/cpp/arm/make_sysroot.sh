#!/usr/bin/env bash
# Makes a folder that is enough of an ARM machine (Debian, aarch64) to build spin_read for and to run it, and Python
# with spin_tf's core install, under qemu-aarch64-static. Nothing is installed on this machine, no root is needed.
#
#     deploy/cpp/arm/make_sysroot.sh FOLDER
set -euo pipefail
root=$(mkdir -p "${1:?name the folder to make}" && cd "$1" && pwd)
test -e "$root/complete" && exit 0

# An apt of its own: this machine's knows no arm64 and stays as it is.
mkdir -p "$root"/apt/{lists/partial,cache/archives/partial} "$root"/debs
touch "$root/apt/status"
apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$root/apt"
    -o Dir::State::Lists="$root/apt/lists" -o Dir::State::status="$root/apt/status" -o Dir::Cache="$root/apt/cache"
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3)
"${apt[@]}" update
# What the installed system calls its Python: ARM's wheels must be for the same.
python=$("${apt[@]}" -o Dir::Bin::dpkg=/bin/true --print-uris install --no-install-recommends python3 2> /dev/null |
    grep -o "'[^']*'" | grep -o 'python3\.[0-9]*-minimal' | head -n 1)
python=${python%-minimal}
packages=(libc6 libgcc-s1 libstdc++6 zlib1g zlib1g-dev libpng16-16 libpng-dev libjpeg62-turbo libjpeg62-turbo-dev nlohmann-json3-dev
    "$python-minimal" "lib$python-minimal" "lib$python-stdlib" libexpat1 libffi8 liblzma5 libbz2-1.0 libuuid1 libssl3)
for package in "${packages[@]}"; do
    # Later releases of Debian have another name for some.
    (cd "$root/debs" && { "${apt[@]}" download "$package" 2> /dev/null || "${apt[@]}" download "${package}t64"; })
done
for package in "$root"/debs/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
ln -sf "$python" "$root/usr/bin/python3"

version=${python#python}
pip=(python3 -m pip --disable-pip-version-check download --quiet --only-binary=:all: --no-deps --dest "$root/wheels"
    --implementation cp --python-version "$version")
for glibc in 2_28 2_27 2_17; do
    pip+=(--platform "manylinux_${glibc}_aarch64")
done
"${pip[@]}" --platform manylinux2014_aarch64 ai-edge-litert numpy pillow absl-py
for wheel in "$root"/wheels/*.whl; do
    python3 -m zipfile --extract "$wheel" "$root/packages"
done

# What /proc/cpuinfo says is taken from the real machine otherwise, and LiteRT's cpuinfo crashes on it.
mkdir -p "$root/proc"
for core in 0 1; do
    printf 'processor\t: %d\nBogoMIPS\t: 100.00\n' "$core"
    printf 'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n'
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n'
done > "$root/proc/cpuinfo"
rm -r "$root/apt" "$root/debs" "$root/wheels"
touch "$root/complete"
