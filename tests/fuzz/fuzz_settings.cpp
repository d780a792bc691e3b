// Settings of any bytes: they are read somehow, and what is saved is read as it was.
#include "app/settings.h"
#include "tests/fuzz/input_folder.h"

#include <QByteArray>

#include <cstdlib>

using namespace headlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFolder home;
    home.clear();
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString(home.path().string()));
    home.write("headlight/settings.json", {reinterpret_cast<const char*>(data), size});
    const auto settings = Settings::load();
    settings.save();
    const auto again = Settings::load();
    if (settings.recentFolders.size() > 8 || again.fresh || !again.problem.isEmpty()
        || settings.session != again.session || settings.recentFolders != again.recentFolders
        || settings.last.value_or(Session()).written() != again.last->written() || settings.theme != again.theme
        || settings.map != again.map || settings.geometry != again.geometry)
        std::abort();
    return 0;
}
