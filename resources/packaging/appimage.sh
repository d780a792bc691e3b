#!/bin/sh
# Makes an AppImage from an installed tree. Needs linuxdeploy and its Qt plugin on PATH; it was not run yet, for want of
# them.
#   cmake --preset release -D BUILD_TESTING=OFF && cmake --build --preset release && resources/packaging/appimage.sh
set -eu
cd "$(dirname "$0")/../.."
folder=build/AppDir
rm -rf "$folder"
DESTDIR="$folder" cmake --install build/release --prefix /usr --component headlight
# linuxdeploy sees what the program is linked to; the module is loaded later, and brings LibTorch.
export QMAKE=qmake6 EXTRA_PLATFORM_PLUGINS=libqoffscreen.so EXTRA_QT_MODULES=svg
linuxdeploy --appdir "$folder" \
    --deploy-deps-only "$folder"/usr/lib/*/headlight \
    --library "$(ldconfig -p | sed -n 's/.*libblas\.so\.3 .*=> //p' | head -1)" \
    --desktop-file "$folder/usr/share/applications/org.headlight.Headlight.desktop" \
    --icon-file "$folder/usr/share/icons/hicolor/scalable/apps/org.headlight.Headlight.svg" \
    --plugin qt --output appimage
