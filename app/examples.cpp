#include "app/examples.h"

#include "app/editors.h"
#include "widgets/plain_text.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QListWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

/// Resources of a static library must be asked for, outside of any namespace.
static void openResources() {
    Q_INIT_RESOURCE(resources);
}

namespace headlight {

QList<Example> examples() {
    openResources();
    QFile file(QStringLiteral(":/examples.json"));
    QList<Example> found;
    if (file.open(QIODevice::ReadOnly)) {
        for (const auto& value : QJsonDocument::fromJson(file.readAll()).array())
            found.append({value[QLatin1String("text")].toString(), value[QLatin1String("look")].toString(),
                          value[QLatin1String("for")].toString(),
                          value[QLatin1String("models")].toVariant().toStringList()});
    }
    return found;
}

QList<Example> examplesFor(const ModelInfo& model) {
    const auto all = examples();
    const auto name = QString::fromStdString(model.name), purpose = purposeOf(model);
    const bool named =
        std::any_of(all.cbegin(), all.cend(), [&](const Example& example) { return example.models.contains(name); });
    QList<Example> found;
    for (auto example : all) {
        if (named ? !example.models.contains(name) : example.purpose != purpose || !example.models.isEmpty())
            continue;
        if (!model.mask.empty())
            example.text.replace(QLatin1String("[MASK]"), QString::fromStdString(model.mask));
        found.append(example);
    }
    return found;
}

QString purposeOf(const ModelInfo& model) {
    if (model.hasEncoder && model.hasDecoder)
        return QStringLiteral("translation");
    if (model.hasDecoder)
        return QStringLiteral("causal");
    if (!model.labels.empty())
        return QStringLiteral("classification");
    return model.mask.empty() ? QStringLiteral("encoder") : QStringLiteral("masked");
}

ExampleList::ExampleList(QWidget* parent) : QWidget(parent), m_list(new QListWidget), m_look(makeNote()) {
    m_list->setAccessibleName(tr("Sentences to try"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setTextElideMode(Qt::ElideRight);
    m_list->setUniformItemSizes(true);
    m_list->setMouseTracking(true);
    m_list->setStyleSheet(QStringLiteral("QListWidget { background: transparent; border: none; }"
                                         "QListWidget::item { padding: 4px; border-radius: 4px; }"
                                         "QListWidget::item:hover, QListWidget::item:selected {"
                                         " background: palette(alternate-base); color: palette(text); }"));
    m_look->setWordWrap(true);
    m_look->setContentsMargins(7, 4, 7, 0);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addWidget(m_list, 1);
    column->addWidget(m_look);
    column->addStretch(0);
    const auto choose = [this](const QListWidgetItem* item) {
        Q_EMIT chosen(m_examples.value(m_list->row(item)).text);
    };
    connect(m_list, &QListWidget::itemClicked, this, choose);
    connect(m_list, &QListWidget::itemActivated, this, choose);
}

void ExampleList::setModel(const ModelInfo& model) {
    m_examples = examplesFor(model);
    m_list->clear();
    for (const auto& example : std::as_const(m_examples)) {
        auto* item = new QListWidgetItem(example.text, m_list);
        item->setToolTip(toolTipOf({example.text, example.look}));
        item->setData(Qt::AccessibleDescriptionRole, example.look);
    }
    m_list->setMinimumHeight(2 * m_list->sizeHintForRow(0));
    m_list->setMaximumHeight(static_cast<int>(m_examples.size()) * m_list->sizeHintForRow(0) + 2);
    setTyped(m_typed);
}

void ExampleList::setTyped(const QString& text) {
    m_typed = text;
    const auto example = std::find_if(m_examples.cbegin(), m_examples.cend(),
                                      [&text](const Example& candidate) { return candidate.text == text; });
    m_look->setText(example == m_examples.cend() ? QString() : example->look);
    m_look->setVisible(example != m_examples.cend());
}

} // namespace headlight
