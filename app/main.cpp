// The program: a command where the first word is one, otherwise the window.
#include "app/command_line.h"
#include "app/main_window.h"
#include "app/model_catalog.h"
#include "app/quit_signals.h"
#include "core/engine.h"

#include <QApplication>
#include <QFontInfo>
#include <QIcon>
#include <QLocale>
#include <QStringConverter>
#include <QTextStream>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <langinfo.h>

using namespace headlight;

namespace {

/// Qt wants UTF-8 and says so in several lines where a bare system has no locale at all.
void useUtf8() {
    std::setlocale(LC_ALL, "");
    if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        qputenv("LC_ALL", "C.UTF-8");
}

/// As many threads as HEADLIGHT_THREADS says; otherwise as models are fastest with.
void chooseThreads() {
    Engine::compute(); // which chooses OpenBLAS's kernels, while there is one thread
    int threads = 0;
    const auto wish = qEnvironmentVariable("HEADLIGHT_THREADS");
    if (!wish.isEmpty()) {
        const int most = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
        bool ok = false;
        threads = wish.toInt(&ok);
        if (!ok || threads < 1 || threads > most)
            throw Error(Error::Kind::Invalid, "HEADLIGHT_THREADS",
                        "\"" + wish.toStdString() + "\" is not a number from 1 to " + std::to_string(most));
    }
    Engine::setThreads(threads);
}

bool hasDisplay() {
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY")
           || qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

int fail(const char* message, ExitCode code) {
    QTextStream(stderr) << remark(QString::fromUtf8(message));
    return code;
}

int runInTerminal(const QStringList& words) {
    QTextStream out(stdout);
    QTextStream err(stderr);
    const int code = runCommand(words, out, err);
    out.flush();
    if (code == Done && (out.status() != QTextStream::Ok || std::fflush(stdout) != 0))
        return fail("standard output cannot be written", NotDone);
    return code;
}

QtMessageHandler usualMessageHandler = nullptr;

/// Qt aborts when the display that the environment names is not there. And it warns where there is no desktop's session
/// and of what the offscreen platform has no use for: on a command's stderr only the command should speak.
void handleMessage(QtMsgType type, const QMessageLogContext& context, const QString& message) {
    if (type == QtFatalMsg) {
        std::fputs(
            qUtf8Printable(remark(QStringLiteral("Qt cannot go on: %1; \"headlight render\" draws without a display")
                                      .arg(message.section(QLatin1Char('\n'), 0, 0)))),
            stderr);
        std::_Exit(NotDone);
    }
    for (const auto* harmless : {"QStandardPaths: XDG_RUNTIME_DIR not set", "This plugin does not support"}) {
        if (message.startsWith(QLatin1String(harmless)))
            return;
    }
    usualMessageHandler(type, context, message);
}

/// Chinese as it is written in Taiwan, in the weight of the rest, and emoji: left to itself Qt takes the first font
/// that has a sign, which may be of another country or bold. A reader whose own language shares the signs has chosen
/// already.
void chooseFonts() {
    const auto language = QLocale::system().language();
    const bool shares = language == QLocale::Japanese || language == QLocale::Korean
                        || (language == QLocale::Chinese && QLocale::system().script() == QLocale::SimplifiedHanScript);
    auto font = QApplication::font();
    QStringList families{QFontInfo(font).family()}; // a name such as “Sans” alone would be passed over for the next
    if (!shares)
        families << QStringLiteral("Noto Sans CJK TC") << QStringLiteral("Noto Sans TC");
    font.setFamilies(families << QStringLiteral("Noto Color Emoji"));
    QApplication::setFont(font);
}

int runWindow(int argc, char** argv, const QStringList& words) {
    const auto opening = openingOf(words);
    for (const auto& model : {opening.modelA, opening.modelB}) {
        if (!model.isEmpty())
            ModelCatalog::resolve(model); // a word that is wrong is told here, not in a window
    }
    if (!hasDisplay())
        return fail("there is no display for the window; \"headlight render\" draws without one", NotDone);
    QApplication::setStyle(QStringLiteral("Fusion")); // what the style sheet is drawn for
    const QApplication application(argc, argv);
    chooseFonts();
    QGuiApplication::setApplicationDisplayName(QStringLiteral("Headlight"));
    QGuiApplication::setDesktopFileName(QStringLiteral("org.headlight.Headlight"));
    MainWindow window(Settings::load(), opening);
    QGuiApplication::setWindowIcon(QIcon(QStringLiteral(":/headlight.svg")));
    window.show();
    const QuitSignals quit;
    QObject::connect(&quit, &QuitSignals::caught, &window, [&window] {
        window.close(); // which keeps what was typed
        QCoreApplication::exit();
    });
    return QApplication::exec();
}

} // namespace

int main(int argc, char** argv) {
    useUtf8();
    usualMessageHandler = qInstallMessageHandler(handleMessage);
    QCoreApplication::setApplicationName(QStringLiteral("headlight"));
    QStringList words;
    for (int i = 1; i < argc; ++i) { // a byte-order mark at a word's beginning is a part of it
        QStringDecoder decoder(QStringDecoder::System, QStringDecoder::Flag::ConvertInitialBom);
        words.append(decoder(argv[i]));
    }
    const auto surface = surfaceFor(words);
    try {
        chooseThreads();
        if (surface == Surface::Window)
            return runWindow(argc, argv, words);
        if (surface == Surface::Offscreen) {
            qputenv("QT_QPA_PLATFORM", "offscreen");
            QApplication::setStyle(QStringLiteral("Fusion"));
            const QApplication application(argc, argv);
            chooseFonts();
            return runInTerminal(words);
        }
        const QCoreApplication application(argc, argv);
        return runInTerminal(words);
    } catch (const WrongWords& error) {
        return fail(error.what(), WrongCommand);
    } catch (const std::exception& error) { // Error, and what libraries throw
        return fail(error.what(), NotDone);
    }
}
