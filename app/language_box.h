// The choice of a language or a task, for models that are told one.
#pragma once

#include "core/request.h"
#include "widgets/controls.h"

#include <QString>

#include <string>
#include <vector>

namespace headlight {

/// Seen where the model leaves something to choose. What was chosen is kept while a model has no such thing.
class LanguageBox : public ComboBox {
    Q_OBJECT
public:
    LanguageBox();

    /// @param codes of the languages @param usual what is taken where nothing is chosen; may be empty
    void setLanguages(const std::vector<std::string>& codes, const std::string& usual);
    void setTasks(const std::vector<Task>& tasks);

    /// A code or the name of a task; empty: what the model does by itself.
    QString chosen() const { return m_chosen; }
    /// Chooses one, without a signal.
    void show(const QString& chosen);

Q_SIGNALS:
    void changed();

protected:
    void focusInEvent(QFocusEvent* event) override;

private:
    struct Entry {
        QString name;
        QString key;
    };
    void fill(const std::vector<Entry>& entries);
    /// Such as "French"; a code that is of no language known is named by itself.
    static QString nameOf(const QString& code);

    std::vector<Entry> m_entries;
    QString m_chosen;
};

} // namespace headlight
