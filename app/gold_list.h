// The sentences of a gold alignment, to be chosen from: each brings its words and the links that people drew.
#pragma once

#include "core/analysis/gold_alignment.h"

#include <QDialog>

#include <memory>
#include <vector>

class QLineEdit;
class QListWidget;

namespace headlight {

/// Stays beside the window; the sentence under the cursor is on show there. Up and Down go on, typing filters.
class GoldList : public QDialog {
    Q_OBJECT
public:
    /// @param name of the file, for the title
    GoldList(std::vector<GoldAlignment> sentences, const QString& name, QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(std::shared_ptr<const headlight::GoldAlignment> sentence);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter(const QString& words);

    std::vector<std::shared_ptr<const GoldAlignment>> m_sentences;
    QLineEdit* m_filter;
    QListWidget* m_list;
};

} // namespace headlight
