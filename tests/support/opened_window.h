// The whole window with real models in it, and what a test takes hold of.
#pragma once

#include "app/main_window.h"
#include "tests/support/slowness.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>

#include <filesystem>
#include <memory>

namespace headlight {

inline constexpr int patience = 20'000 * slowness;

inline QString nameOf(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

/// A test of the window, with settings that are not the user's.
class WindowTest : public QObject {
public:
    /// Before there is an application.
    static void initMain() {
        static const QTemporaryDir home;
        qputenv("XDG_CONFIG_HOME", home.path().toUtf8());
        qputenv("HEADLIGHT_MODELS", HEADLIGHT_MODELS);
        if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
            qputenv("QT_QPA_PLATFORM", "offscreen");
    }
};

/// The window with what a test takes hold of.
struct Opened {
    explicit Opened(const MainWindow::Opening& opening, const Settings& settings = {})
        : window(std::make_unique<MainWindow>(settings, opening)),
          source(window->findChild<QPlainTextEdit*>(QStringLiteral("source"))),
          target(window->findChild<QPlainTextEdit*>(QStringLiteral("target"))),
          problem(window->findChild<QLabel*>(QStringLiteral("problem"))) {
        window->resize(1280, 800);
        window->show();
        window->activateWindow();
    }
    bool ready() const { return window->trace() && !window->waiting(); }
    bool showsWhatIsTyped() const {
        return ready() && QString::fromStdString(window->trace()->sourceText) == source->toPlainText();
    }
    /// What the banner says, but for a model without training, which hardly ever ends a sentence.
    QString complaint() const {
        auto lines = problem->isVisible() ? problem->text().split(QLatin1Char('\n')) : QStringList();
        lines.removeIf([](const QString& line) { return line.contains(QLatin1String("translation stopped after")); });
        return lines.join(QLatin1Char('\n'));
    }
    void drop(const std::filesystem::path& folder) const {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(nameOf(folder))});
        QDragEnterEvent enter(QPoint(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(window.get(), &enter); // who takes this one gets the next
        QDropEvent event(QPointF(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(window.get(), &event);
    }

    std::unique_ptr<MainWindow> window;
    QPlainTextEdit* source;
    QPlainTextEdit* target;
    QLabel* problem;
};

} // namespace headlight
