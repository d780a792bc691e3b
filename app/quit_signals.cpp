#include "app/quit_signals.h"

#include <QSocketNotifier>

#include <array>

#include <sys/socket.h>
#include <unistd.h>

namespace headlight {

namespace {

/// What a signal's handler may do is little: it writes a byte here, and the event loop reads it there.
std::array<int, 2> ends{-1, -1};

void write(int) {
    const char byte = 0;
    [[maybe_unused]] const auto written = ::write(ends[0], &byte, 1);
}

} // namespace

QuitSignals::QuitSignals(QObject* parent) : QObject(parent) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
        return; // then they end the program as they always do
    auto* notifier = new QSocketNotifier(ends[1], QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, [this] {
        char byte = 0;
        if (::read(ends[1], &byte, 1) == 1)
            Q_EMIT caught();
    });
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        struct sigaction before {};
        struct sigaction now {};
        now.sa_handler = write;
        now.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
        if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN)
            continue;
        ::sigaction(number, &now, nullptr);
        m_before.emplace_back(number, before);
    }
}

QuitSignals::~QuitSignals() {
    for (const auto& [number, before] : m_before)
        ::sigaction(number, &before, nullptr);
    for (auto& end : ends)
        ::close(std::exchange(end, -1));
}

} // namespace headlight
