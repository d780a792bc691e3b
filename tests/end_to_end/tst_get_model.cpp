// Getting a model in the real window, from a hub on loopback: two clicks, and it runs; what the hub refuses is said;
// and what is there can be opened and removed.
#include "app/fetch_row.h"
#include "core/files/hub.h"
#include "core/files/whole_file.h"
#include "tests/support/loopback_hub.h"
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"

#include <QAction>
#include <QComboBox>
#include <QDialog>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTreeWidget>

#include <algorithm>

using namespace headlight;

class TestGetModel : public QObject {
    Q_OBJECT
public:
    /// Before there is an application: where it draws, and settings, models and a cache that are not the user's.
    static void initMain() {
        static const QTemporaryDir home;
        qputenv("XDG_CONFIG_HOME", home.path().toUtf8());
        qputenv("HF_HOME", home.path().toUtf8());
        for (const auto* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
                                     "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "http_proxy", "HTTP_PROXY"})
            qunsetenv(variable);
        qputenv("HEADLIGHT_MODELS", HEADLIGHT_MODELS);
        if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
            qputenv("QT_QPA_PLATFORM", "offscreen");
    }

private:
    Folder m_tiny;
    std::unique_ptr<LoopbackHub> m_hub;

    static QAction* action(const Opened& opened, const QString& text) {
        for (auto* found : opened.window->findChildren<QAction*>())
            if (QString(found->text()).remove(QLatin1Char('&')) == text)
                return found;
        return nullptr;
    }
    template <class Child>
    static Child* child(const Opened& opened, const char* name) {
        return opened.window->findChild<Child*>(QString::fromLatin1(name));
    }
    static QTreeWidgetItem* row(const QTreeWidget& list, const QString& model) {
        const auto found = list.findItems(model, Qt::MatchExactly);
        return found.isEmpty() ? nullptr : found.front();
    }
    static void look(const Opened& opened, const QString& text) {
        auto* field = child<QLineEdit>(opened, "modelName");
        field->setFocus();
        field->selectAll();
        QTest::keyClicks(field, text);
        QTest::keyClick(field, Qt::Key_Return);
    }
    /// What the rows of models on their way say.
    static QString rows(const Opened& opened) {
        QStringList texts;
        for (const auto* found : opened.window->findChildren<FetchRow*>())
            texts << found->text();
        return texts.join(QLatin1Char('\n'));
    }

private Q_SLOTS:
    void initTestCase() { m_tiny.recurrent(); }
    void init() {
        m_hub = std::make_unique<LoopbackHub>();
        qputenv("HF_ENDPOINT", m_hub->endpoint().toUtf8());
        QMap<QString, QByteArray> files;
        for (const auto& entry : std::filesystem::directory_iterator(m_tiny.path()))
            if (entry.is_regular_file())
                files[QString::fromStdString(entry.path().filename().string())] =
                    QByteArray::fromStdString(readWholeFile(entry.path(), 64 << 20));
        for (const auto* model : {"org/tiny", "org/gated", "org/slow"})
            m_hub->add(QString::fromLatin1(model), files);
        m_hub->add(QStringLiteral("org/unknown"),
                   {{QStringLiteral("config.json"), R"({"model_type": "no_such_family"})"},
                    {QStringLiteral("model.safetensors"), QByteArray(2000, 'x')}});
    }

    void isGotAndRuns() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        QCOMPARE(action(opened, QStringLiteral("Get a model…"))->shortcut(), QKeySequence(Qt::CTRL | Qt::Key_G));
        action(opened, QStringLiteral("Get a model…"))->trigger();
        const auto* list = child<QTreeWidget>(opened, "models");
        QVERIFY(list->topLevelItemCount() > 10); // good first ones, without asking anyone
        QVERIFY(m_hub->requests.isEmpty());
        look(opened, QStringLiteral("org/tiny"));
        auto* get = child<QPushButton>(opened, "get");
        QTRY_VERIFY_WITH_TIMEOUT(get->text().startsWith(QLatin1String("Get ")), patience);
        QVERIFY(row(*list, QStringLiteral("org/tiny"))->text(4).startsWith(QLatin1String("yes")));
        QVERIFY(child<QLabel>(opened, "choice")->text().contains(QLatin1String("of memory")));
        QTest::mouseClick(get, Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(QString::fromStdString(opened.window->trace()->model), QStringLiteral("org/tiny"),
                                  patience);
        QVERIFY(rows(opened).contains(QLatin1String("open as A")));
        QCOMPARE(opened.complaint(), QString());
        QCOMPARE(modelName(opened.window->workbench().models().a.toStdString()), std::string("org/tiny"));
        QTRY_VERIFY_WITH_TIMEOUT(row(*list, QStringLiteral("org/tiny"))->text(4).startsWith(QLatin1String("is there")),
                                 patience);
    }

    void whatIsNotGivenIsSaid() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        action(opened, QStringLiteral("Get a model…"))->trigger();
        const auto* list = child<QTreeWidget>(opened, "models");
        auto* get = child<QPushButton>(opened, "get");
        const auto* choice = child<QLabel>(opened, "choice");
        look(opened, QStringLiteral("org/gated"));
        QTRY_VERIFY_WITH_TIMEOUT(choice->text().contains(m_hub->endpoint() + QStringLiteral("/org/gated")), patience);
        QVERIFY(!get->isEnabled());
        look(opened, QStringLiteral("org/unknown"));
        QTRY_VERIFY_WITH_TIMEOUT(choice->text().contains(QLatin1String("no_such_family")), patience);
        QVERIFY(!get->isEnabled());
        QVERIFY(row(*list, QStringLiteral("org/unknown"))->text(4).contains(QLatin1String("no: no_such_family")));
        look(opened, QStringLiteral("org/nowhere"));
        QTRY_VERIFY_WITH_TIMEOUT(choice->text().contains(QLatin1String("no model org/nowhere")), patience);
        look(opened, QStringLiteral("nothing of these words"));
        QTRY_VERIFY_WITH_TIMEOUT(child<QLabel>(opened, "searchMessage")->text().contains(QLatin1String("no model")),
                                 patience);
        look(opened, QStringLiteral("org"));
        QTRY_VERIFY_WITH_TIMEOUT(row(*list, QStringLiteral("org/slow")), patience);
        QTRY_VERIFY_WITH_TIMEOUT(row(*list, QStringLiteral("org/slow"))->text(4).startsWith(QLatin1String("yes")),
                                 patience);
        QCOMPARE(row(*list, QStringLiteral("org/slow"))->text(2), QStringLiteral("1.2M"));
        QCOMPARE(m_hub->count("GET", "safetensors"), 0);
    }

    void stopsAndGoesOn() {
        m_hub->slowBytes = 512;
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        action(opened, QStringLiteral("Get a model…"))->trigger();
        look(opened, QStringLiteral("org/slow"));
        auto* get = child<QPushButton>(opened, "get");
        QTRY_VERIFY_WITH_TIMEOUT(get->text().startsWith(QLatin1String("Get ")), patience);
        child<QWidget>(opened, "models")->window()->findChild<QComboBox*>()->setCurrentIndex(1);
        QTest::mouseClick(get, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(opened.window->findChild<FetchRow*>(), patience);
        auto* fetch = opened.window->findChild<FetchRow*>();
        const auto button = [fetch](const char* text) {
            const auto buttons = fetch->findChildren<QPushButton*>();
            const auto found = std::find_if(buttons.begin(), buttons.end(), [text](const QPushButton* candidate) {
                return candidate->text() == QLatin1String(text);
            });
            return found == buttons.end() ? nullptr : *found;
        };
        QTRY_VERIFY_WITH_TIMEOUT(rows(opened).contains(QLatin1String(" of ")), patience);
        // What is typed meanwhile is answered.
        opened.source->setPlainText(QStringLiteral("the cat sat"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QTest::mouseClick(button("Stop"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(rows(opened).contains(QLatin1String("stopped")), patience);
        m_hub->slowBytes = 1 << 20;
        QTest::mouseClick(button("Go on"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(rows(opened).contains(QLatin1String("open as B")), patience);
        QTRY_COMPARE_WITH_TIMEOUT(modelName(opened.window->workbench().models().b.toStdString()),
                                  std::string("org/slow"), patience);
    }

    void isManaged() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        QVERIFY(hubModels().size() >= 2); // of the tests before
        action(opened, QStringLiteral("Manage models…"))->trigger();
        auto* list = child<QTreeWidget>(opened, "cachedModels");
        QTRY_VERIFY_WITH_TIMEOUT(row(*list, QStringLiteral("org/tiny")), patience);
        list->setCurrentItem(row(*list, QStringLiteral("org/tiny")));
        const auto folder = child<QLabel>(opened, "folder")->text();
        QVERIFY(std::filesystem::exists(folder.toStdString()));
        const auto press = [list](const QString& text) {
            for (auto* button : list->window()->findChildren<QPushButton*>())
                if (button->text() == text)
                    button->click();
        };
        press(QStringLiteral("Open as B"));
        QTRY_COMPARE_WITH_TIMEOUT(opened.window->workbench().models().b, folder, patience);
        press(QStringLiteral("Remove…"));
        const auto* question = list->window()->findChild<QMessageBox*>();
        QVERIFY(question);
        QVERIFY(std::filesystem::exists(folder.toStdString()));
        for (auto* button : question->buttons())
            if (button->text().contains(QLatin1String("Remove")))
                button->click();
        QTRY_VERIFY_WITH_TIMEOUT(!row(*list, QStringLiteral("org/tiny")), patience);
        QVERIFY(!std::filesystem::exists(folder.toStdString()));
        QVERIFY(row(*list, QStringLiteral("org/slow")));
        QVERIFY(child<QLabel>(opened, "message")->text().contains(QLatin1String("is removed")));
    }
};

QTEST_MAIN(TestGetModel)
#include "tst_get_model.moc"
