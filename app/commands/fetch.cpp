// `headlight fetch`: a model from the hub into the cache.
#include "app/commands/commands.h"
#include "app/hub/hub_client.h"
#include "app/model_outlook.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QTextStream>

#include <unistd.h>

namespace headlight {

namespace {

constexpr Option fetchOptions[] = {
    {"dry-run", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "list the files and whether they can be opened, and fetch none")},
    {"endpoint", "URL",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "another hub; else HF_ENDPOINT, else https://huggingface.co")},
    {"cache", "DIR", QT_TRANSLATE_NOOP("headlight::CommandLine", "another cache; else as huggingface_hub chooses it")},
};

/// What is going on, on stderr: one line that changes on a terminal, a line for each file elsewhere.
class Teller {
public:
    explicit Teller(QTextStream& err) : m_err(err), m_terminal(err.device() && ::isatty(STDERR_FILENO) != 0) {}

    void progress(const HubProgress& progress) {
        if (!m_terminal)
            return;
        show(CommandLine::tr("%1  %2 of %3%4")
                 .arg(progress.file, bytesInWords(progress.done), bytesInWords(progress.total),
                      progressInWords(progress)));
    }
    void waits(const QString& why, int seconds) {
        const auto text = seconds > 0 ? CommandLine::tr("%1; again in %2 s").arg(why).arg(seconds) : why;
        if (m_terminal)
            show(text);
        else if (why != m_why)
            line(text);
        m_why = seconds > 0 || !m_terminal ? why : QString();
    }
    void fileDone(const HubFile& file, bool wasThere) {
        m_why.clear();
        if (!m_terminal)
            line(wasThere ? CommandLine::tr("%1: %2, was there").arg(file.name, bytesInWords(file.size))
                          : CommandLine::tr("%1: %2").arg(file.name, bytesInWords(file.size)));
    }
    void line(const QString& text) {
        clear();
        m_err << remark(text);
        m_err.flush();
    }
    void clear() {
        if (m_shown > 0)
            m_err << '\r' << QString(m_shown, QLatin1Char(' ')) << '\r';
        m_shown = 0;
        m_err.flush();
    }

private:
    void show(const QString& text) {
        constexpr qsizetype widest = 78;
        const auto shown = printable(text).left(widest);
        m_err << '\r' << shown.leftJustified(m_shown);
        m_shown = shown.size();
        m_err.flush();
    }

    QTextStream& m_err;
    bool m_terminal;
    qsizetype m_shown = 0; ///< letters in the line that changes
    QString m_why;
};

void printPlan(const HubPlan& plan, QTextStream& out) {
    for (const auto& file : plan.files)
        out << bytesInWords(file.size).rightJustified(9) << "  " << printable(file.name) << '\n';
    for (const auto& line : outlookOf(plan).lines())
        out << printable(line) << '\n';
    out << CommandLine::tr("to fetch: %1 of %2").arg(bytesInWords(plan.missing), bytesInWords(plan.bytes)) << '\n'
        << CommandLine::tr("commit: %1").arg(plan.commit) << '\n';
}

void runFetch(const Words& words, QTextStream& out, QTextStream& err) {
    if (words.plain().isEmpty())
        throw WrongWords(CommandLine::tr("a model is missing: NAME, OWNER/NAME, with @REVISION or not, or its page"));
    QString why;
    const auto name = HubName::parse(words.plain().front(), &why);
    if (!name)
        throw WrongWords(
            CommandLine::tr("\"%1\" is no name of a model on the hub: %2").arg(words.plain().front(), why));
    auto settings = HubSettings::fromEnvironment();
    if (words.has("endpoint"))
        settings.setEndpoint(words.required("endpoint"));
    if (words.has("cache"))
        settings.cache = pathOf(words.required("cache"));

    Teller teller(err);
    QEventLoop loop;
    std::optional<HubProblem> problem;
    HubClient client(settings);
    QObject::connect(&client, &HubClient::progressed, &loop, [&](const HubProgress& is) { teller.progress(is); });
    QObject::connect(&client, &HubClient::waits, &loop,
                     [&](const QString& text, int seconds) { teller.waits(text, seconds); });
    QObject::connect(&client, &HubClient::remarked, &loop, [&](const QString& text) { teller.line(text); });
    QObject::connect(&client, &HubClient::fileDone, &loop,
                     [&](const HubFile& file, bool wasThere) { teller.fileDone(file, wasThere); });
    QObject::connect(&client, &HubClient::failed, &loop, [&](const HubProblem& is) {
        problem = is;
        loop.quit();
    });
    QObject::connect(&client, &HubClient::planned, &loop, [&](const HubPlan& plan) {
        if (!plan.remark.isEmpty())
            teller.line(plan.remark);
        if (words.has("dry-run")) {
            printPlan(plan, out);
            return loop.quit();
        }
        const auto outlook = outlookOf(plan);
        if (outlook.opens)
            teller.line(CommandLine::tr("%1: %2, %3 to fetch")
                            .arg(plan.name.text(), outlook.familyLine(), bytesInWords(plan.missing)));
        for (const auto& warning : outlook.warnings)
            teller.line(warning);
    });
    QObject::connect(&client, &HubClient::fetched, &loop, [&](const QString& folder) {
        teller.clear();
        out << printable(folder) << '\n';
        loop.quit();
    });
    // Queued: it may fail before the loop runs.
    QMetaObject::invokeMethod(
        &client,
        [&] {
            if (words.has("dry-run"))
                client.plan(*name);
            else
                client.fetch(*name, requireOpening);
        },
        Qt::QueuedConnection);
    loop.exec();
    teller.clear();
    if (problem)
        throw HubFailure(*problem);
}

} // namespace

constinit const Command fetchCommand{
    "fetch",
    QT_TRANSLATE_NOOP("headlight::CommandLine",
                      "MODEL[@REVISION]: fetches a model from the HuggingFace hub into its cache"),
    fetchOptions,
    runFetch,
    Surface::None,
    1};

} // namespace headlight
