// Protects the window from whoever does anything in any order: a seeded user types, points, chooses, drags, resizes,
// switches and opens, and after each event nothing crashed, nothing old is shown as new, and the Selection is in range.
// HEADLIGHT_EVENTS and HEADLIGHT_SEED say how many and which; each event is printed before it happens.
#include "app/main_window.h"
#include "app/views.h"
#include "core/analysis/shown_map.h"
#include "core/trace/trace_file.h"
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"
#include "widgets/trace_view.h"
#include "widgets/veil.h"

#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QMenu>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QPointer>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QWheelEvent>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <random>

using namespace headlight;

namespace {

/// What is in the way between events: menus, lists, dialogs. Some keys reach them, then they are closed.
bool somethingIsOpen() {
    return QApplication::activePopupWidget() || QApplication::activeModalWidget();
}

class RandomUser {
public:
    RandomUser(unsigned seed, QString trace, QString broken, QStringList folders)
        : m_random(seed), m_trace(std::move(trace)), m_broken(std::move(broken)), m_folders(std::move(folders)) {
        // Menus and dialogs that wait for their end.
        m_closer.setInterval(40);
        QObject::connect(&m_closer, &QTimer::timeout, &m_closer, [this] { closeOne(); });
        m_closer.start();
        open({});
    }

    void doSomething() {
        const auto total = std::accumulate(deeds().begin(), deeds().end(), 0,
                                           [](int sum, const Deed& deed) { return sum + deed.weight; });
        int drawn = below(total);
        for (const auto& deed : deeds()) {
            drawn -= deed.weight;
            if (drawn >= 0)
                continue;
            say(QLatin1String(deed.name));
            (this->*deed.act)();
            break;
        }
        QCoreApplication::processEvents();
        for (int i = 0; i < 20 && somethingIsOpen(); ++i)
            closeOne();
        if (!m_opened->window->isVisible()) // a key or a menu closed it
            open(Settings::load());
    }

    /// Empty when all is as it should be.
    QString fault() {
        auto& window = *m_opened->window;
        window.grab();
        const auto trace = window.trace();
        auto& selection = window.selection();
        if (trace && !window.waiting() && !window.workbench().stale() && window.workbench().traceFile().isEmpty()
            && QString::fromStdString(trace->sourceText) != m_opened->source->toPlainText())
            return QStringLiteral("on show is \"%1\", typed is \"%2\"")
                .arg(QString::fromStdString(trace->sourceText).left(100), m_opened->source->toPlainText().left(100));
        if (!trace)
            return {};
        const auto* view = window.view();
        const auto veils = view->findChildren<Veil*>();
        if (window.workbench().stale() && view->isVisible() && !veils.isEmpty()
            && std::none_of(veils.begin(), veils.end(), [](const Veil* veil) { return veil->isVisible(); }))
            return QStringLiteral("what is on show is of before, and nothing lies over it");
        const auto& pair = selection.pair();
        if (const auto* block = trace->block(pair.kind); block && !window.waiting()) {
            const bool inRange =
                (!pair.query || pair.query->value < block->queries) && (!pair.key || pair.key->value < block->keys);
            if (!inRange)
                return QStringLiteral("the pair %1, %2 is not in the map of %3 by %4")
                    .arg(pair.query ? pair.query->value : -1)
                    .arg(pair.key ? pair.key->value : -1)
                    .arg(block->queries)
                    .arg(block->keys);
        }
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
            const auto* block = trace->block(kind);
            const auto shown = shownMap(*trace, kind, selection.choice());
            if (shown.has_value() != (block != nullptr))
                return QStringLiteral("a map of what there is not");
            if (shown && shown->place
                && (shown->place->layer.value >= block->layers || shown->place->head.value >= block->heads))
                return QStringLiteral("a head that there is not");
        }
        return {};
    }

    /// Until what was typed is on show, or said to be impossible.
    bool comesToRest() const {
        return QTest::qWaitFor([this] { return !m_opened->window->waiting(); }, patience);
    }

private:
    struct Deed {
        const char* name;
        int weight;
        void (RandomUser::*act)();
    };
    static const std::vector<Deed>& deeds() {
        static const std::vector<Deed> all{
            {"type", 30, &RandomUser::type},
            {"erase", 10, &RandomUser::erase},
            {"edit", 8, &RandomUser::edit},
            {"replace the text", 4, &RandomUser::replaceText},
            {"another view", 14, &RandomUser::changeView},
            {"choose in a list", 12, &RandomUser::chooseInList},
            {"step a number", 6, &RandomUser::stepNumber},
            {"point", 16, &RandomUser::point},
            {"click", 16, &RandomUser::click},
            {"drag", 5, &RandomUser::drag},
            {"turn the wheel", 5, &RandomUser::turnWheel},
            {"press a key", 16, &RandomUser::pressKey},
            {"choose in a menu", 14, &RandomUser::chooseInMenu},
            {"resize", 5, &RandomUser::resize},
            {"switch heads", 6, &RandomUser::switchHeads},
            {"drop", 4, &RandomUser::drop},
            {"wait", 10, &RandomUser::wait},
            {"close and open", 2, &RandomUser::reopen},
        };
        return all;
    }

    int below(int most) { return most <= 0 ? 0 : static_cast<int>(m_random() % static_cast<unsigned>(most)); }
    template <class List>
    auto oneOf(const List& list) {
        return list[static_cast<typename List::size_type>(below(static_cast<int>(list.size())))];
    }
    void say(const QString& what) {
        std::printf("%d %s\n", ++m_count, qPrintable(what));
        std::fflush(stdout);
    }
    void detail(const QString& what) {
        std::printf("  %s\n", qPrintable(what.left(200)));
        std::fflush(stdout);
    }

    void open(const Settings& settings) {
        m_opened.reset(); // its settings are written first
        m_opened = std::make_unique<Opened>(MainWindow::Opening{}, settings);
    }
    void closeOne() {
        constexpr std::array keys{Qt::Key_Down, Qt::Key_Tab,  Qt::Key_Right,  Qt::Key_Space,
                                  Qt::Key_Up,   Qt::Key_Home, Qt::Key_Return, Qt::Key_Escape};
        auto* open = QApplication::activePopupWidget();
        if (!open)
            open = QApplication::activeModalWidget();
        if (!open)
            return;
        const QPointer<QWidget> guard(open);
        detail(QStringLiteral("in the way: %1 \"%2\"")
                   .arg(QLatin1String(open->metaObject()->className()), open->windowTitle()));
        for (int i = below(3); i > 0 && guard; --i)
            QTest::keyClick(guard.data(), oneOf(keys));
        if (guard)
            guard->close();
    }

    QPlainTextEdit* editor() {
        QList<QPlainTextEdit*> editors;
        for (auto* each : m_opened->window->findChildren<QPlainTextEdit*>())
            if (each->isVisible() && each->isEnabled() && !each->isReadOnly())
                editors << each;
        return editors.isEmpty() || below(3) ? m_opened->source : oneOf(editors);
    }
    QWidget* anyWidget() {
        QList<QWidget*> widgets;
        for (auto* each : m_opened->window->findChildren<QWidget*>())
            if (each->isVisible() && each->isEnabled() && !each->size().isEmpty())
                widgets << each;
        auto* chosen = below(2) ? static_cast<QWidget*>(m_opened->window->view()) : oneOf(widgets);
        detail(QStringLiteral("%1 %2").arg(QLatin1String(chosen->metaObject()->className()), chosen->objectName()));
        return chosen;
    }
    QPoint anyPoint(const QWidget* widget) { return {below(widget->width()), below(widget->height())}; }
    Qt::KeyboardModifiers anyModifiers() {
        constexpr std::array modifiers{Qt::NoModifier, Qt::NoModifier, Qt::NoModifier, Qt::ControlModifier,
                                       Qt::ShiftModifier};
        return oneOf(modifiers);
    }
    QString anyWord() {
        static const QStringList words{u"the cat "_qs, u"is on "_qs, u"a"_qs,        u" "_qs,      u"."_qs,
                                       u"’s "_qs,      u"naïve "_qs, u"注意力"_qs,   u"😀"_qs,      u"[MASK] "_qs,
                                       u"\n"_qs,       u"12,5 "_qs,  u"<b>x</b>"_qs, u"مرحبا "_qs, u"e\u0301"_qs,
                                       u"table "_qs,   u"?"_qs,      u"\t"_qs};
        return oneOf(words);
    }

    void type() {
        auto* into = editor();
        for (int i = 1 + below(4); i > 0; --i) {
            const auto word = anyWord();
            detail(word);
            if (below(2))
                for (const auto letter : word)
                    QTest::sendKeyEvent(QTest::Click, into, Qt::Key_unknown, QString(letter), Qt::NoModifier);
            else
                into->insertPlainText(word);
        }
    }
    void erase() {
        auto* in = editor();
        for (int i = 1 + below(12); i > 0; --i)
            QTest::keyClick(in, below(4) ? Qt::Key_Backspace : Qt::Key_Delete);
    }
    void edit() {
        constexpr std::array keys{Qt::Key_Z, Qt::Key_Z, Qt::Key_Y, Qt::Key_A, Qt::Key_X, Qt::Key_V, Qt::Key_C};
        auto* in = editor();
        for (int i = 1 + below(3); i > 0; --i) {
            const auto key = oneOf(keys);
            detail(QStringLiteral("Ctrl+%1").arg(QChar(static_cast<char16_t>(key))));
            QTest::keyClick(in, key, Qt::ControlModifier);
        }
    }
    void replaceText() {
        constexpr std::array lengths{0, 1, 5, 12, 30, 120};
        QString text;
        for (int i = oneOf(lengths); i > 0; --i)
            text += anyWord();
        editor()->setPlainText(text);
    }
    void changeView() {
        const auto& type = viewTypes()[static_cast<std::size_t>(below(static_cast<int>(viewTypes().size())))];
        detail(QLatin1String(type.name));
        m_opened->window->showView(QLatin1String(type.name));
    }
    void chooseInList() {
        constexpr std::array keys{Qt::Key_Down, Qt::Key_Down, Qt::Key_Up, Qt::Key_End, Qt::Key_Home};
        auto lists = m_opened->window->findChildren<QComboBox*>();
        lists.removeIf([](const QComboBox* list) { return !list->isVisible() || !list->isEnabled(); });
        if (lists.isEmpty())
            return;
        auto* list = oneOf(lists);
        QTest::keyClick(list, oneOf(keys));
        detail(list->accessibleName() + u": "_qs + list->currentText());
    }
    void stepNumber() {
        auto numbers = m_opened->window->findChildren<QSpinBox*>();
        numbers.removeIf([](const QSpinBox* number) { return !number->isVisible() || !number->isEnabled(); });
        if (!numbers.isEmpty())
            QTest::keyClick(oneOf(numbers), below(2) ? Qt::Key_Up : Qt::Key_Down);
    }
    void point() {
        auto* on = anyWidget();
        for (int i = 1 + below(5); i > 0; --i)
            QTest::mouseMove(on, anyPoint(on));
    }
    void click() {
        const QPointer<QWidget> on(anyWidget());
        const auto place = anyPoint(on);
        const auto button = below(6) ? Qt::LeftButton : Qt::RightButton;
        const auto modifiers = anyModifiers();
        if (below(5))
            QTest::mouseClick(on, button, modifiers, place);
        else
            QTest::mouseDClick(on, button, modifiers, place);
    }
    void drag() {
        const QPointer<QWidget> on(anyWidget());
        QTest::mousePress(on, Qt::LeftButton, anyModifiers(), anyPoint(on));
        for (int i = 1 + below(4); i > 0 && on; --i)
            QTest::mouseMove(on, anyPoint(on));
        if (on)
            QTest::mouseRelease(on, Qt::LeftButton, Qt::NoModifier, anyPoint(on));
    }
    void turnWheel() {
        auto* on = anyWidget();
        const QPointF place = anyPoint(on);
        QWheelEvent event(place, on->mapToGlobal(place), {}, {0, below(2) ? 120 : -120}, Qt::NoButton, anyModifiers(),
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(on, &event);
    }
    void pressKey() {
        constexpr std::array keys{Qt::Key_Left, Qt::Key_Right,  Qt::Key_Up,     Qt::Key_Down, Qt::Key_Home,
                                  Qt::Key_End,  Qt::Key_Return, Qt::Key_Escape, Qt::Key_Tab,  Qt::Key_Space,
                                  Qt::Key_Plus, Qt::Key_Minus,  Qt::Key_PageUp, Qt::Key_0,    Qt::Key_PageDown};
        const QPointer<QWidget> on(anyWidget());
        for (int i = 1 + below(6); i > 0 && on; --i)
            QTest::keyClick(on.data(), oneOf(keys), anyModifiers());
    }
    void collect(QMenu* menu, QList<QAction*>& actions) {
        Q_EMIT menu->aboutToShow();
        for (auto* action : menu->actions()) {
            if (action->menu())
                collect(action->menu(), actions);
            else if (action->isEnabled() && !action->isSeparator())
                actions << action;
        }
    }
    void chooseInMenu() {
        QList<QAction*> actions;
        for (auto* action : m_opened->window->menuBar()->actions())
            if (action->menu())
                collect(action->menu(), actions);
        auto* action = oneOf(actions);
        detail(action->text());
        action->trigger();
    }
    void resize() { m_opened->window->resize(300 + below(1700), 200 + below(1200)); }
    void switchHeads() {
        const auto trace = m_opened->window->trace();
        std::vector<Intervention::HeadOff> off;
        for (int i = below(4); trace && i > 0; --i) {
            const auto kind = oneOf(std::array{BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross});
            if (const auto* block = trace->block(kind); block && trace->family != "headlight_recurrent")
                off.push_back({kind, Layer(below(block->layers)), Head(below(block->heads))});
        }
        m_opened->window->selection().setOff(std::move(off));
    }
    void drop() {
        const auto what = below(4) == 0 ? m_broken : below(2) ? m_trace : oneOf(m_folders);
        detail(what);
        m_opened->drop(what.toStdString());
    }
    void wait() {
        if (below(3) == 0)
            comesToRest();
        else
            QTest::qWait(below(150));
    }
    void reopen() {
        m_opened->window->close();
        open(Settings::load());
    }

    std::mt19937 m_random;
    QString m_trace;       ///< a run's file
    QString m_broken;      ///< a file that is none
    QStringList m_folders; ///< of models
    QTimer m_closer;
    int m_count = 0;
    std::unique_ptr<Opened> m_opened;
};

int numberFrom(const char* variable, int otherwise) {
    bool given = false;
    const int number = qEnvironmentVariableIntValue(variable, &given);
    return given ? number : otherwise;
}

} // namespace

class RandomUserTest : public QObject {
    Q_OBJECT
public:
    /// Before there is an application: where it draws, and settings and files that are not the user's.
    static void initMain() {
        static const QTemporaryDir home;
        for (const char* variable : {"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
            qputenv(variable, home.path().toUtf8());
        QDir::setCurrent(home.path());
        qputenv("QTEST_FUNCTION_TIMEOUT", "36000000"); // some ask for many events
        qputenv("HEADLIGHT_MODELS", HEADLIGHT_MODELS);
        if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
            qputenv("QT_QPA_PLATFORM", "offscreen");
    }

private Q_SLOTS:
    void nothingBreaks() {
        const int events = numberFrom("HEADLIGHT_EVENTS", 500), seed = numberFrom("HEADLIGHT_SEED", 1);
        const QTemporaryDir folder;
        const Folder words, tiny;
        words.copyWithWords("roberta");
        tiny.recurrent();
        Request request;
        request.source = "a dog";
        writeTrace(*Engine::open(tiny.path())->run(request), folder.path().toStdString());
        const auto broken = folder.filePath(QStringLiteral("broken.safetensors"));
        write(broken.toStdString(), "no tensors");
        RandomUser user(static_cast<unsigned>(seed), folder.filePath(QStringLiteral("trace.safetensors")), broken,
                        {nameOf(words.path()), nameOf(tiny.path()), folder.path()});
        for (int i = 0; i < events; ++i) {
            user.doSomething();
            const auto fault = user.fault();
            QVERIFY2(fault.isEmpty(),
                     qPrintable(QStringLiteral("HEADLIGHT_SEED=%1, event %2: %3").arg(seed).arg(i + 1).arg(fault)));
        }
        QVERIFY(user.comesToRest());
        QCOMPARE(user.fault(), QString());
    }
};

QTEST_MAIN(RandomUserTest)
#include "tst_random_user.moc"
