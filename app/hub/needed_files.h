// Which of a repository's files a model needs: the configuration, the tokenizer's, and one form of the weights.
#pragma once

#include <QString>
#include <QStringList>

namespace headlight {

struct NeededFiles {
    QString config;     ///< empty: there is none, and this is no model
    QStringList small;  ///< the tokenizer's files and the like
    QString weights;    ///< a file of weights, or an index of several; empty: none that can be read
    bool index = false; ///< `weights` is an index
    QStringList unread; ///< forms of weights that are there and cannot be read, such as GGUF
};

/// @param files names of all files, folders in front; only what lies in no folder is needed
NeededFiles neededFiles(const QStringList& files);

/// True for a name that a file of a model may have: it leads nowhere else.
bool isPlainFileName(const QString& name);

} // namespace headlight
