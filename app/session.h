// All that is on show, as one value: what a document holds, undo goes back to, and the next start begins with.
#pragma once

#include "app/model_catalog.h"
#include "app/what_if.h"
#include "core/request.h"
#include "widgets/selection.h"

#include <QList>
#include <QMap>
#include <QString>
#include <QVariantMap>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace headlight {

/// How a picture for a file differs from the one on screen.
struct ExportChoices {
    enum class Look { Screen, Light, Dark, Transparent };

    QString format = QStringLiteral("png"); ///< ending of the file's name
    int width = 0;                          ///< in pixels of which 96 are an inch; 0: as on screen, and the height, too
    int height = 0;
    int dotsPerInch = 192; ///< of a PNG
    double labels = 1;     ///< 1 to 2, how much larger they are
    Look look = Look::Light;
    QString colors = {};    ///< of colorMapNames(); empty: as on screen, or as the look has them
    bool highlights = true; ///< what is locked
    bool caption = false;   ///< model, sentence, layer and head
    bool legends = true;
    bool session = true; ///< the file opens again in this program
    friend bool operator==(const ExportChoices&, const ExportChoices&) = default;
};

/// What the window shows, and what it is changed by: the same value, the same picture.
struct Session {
    /// What the panel of texts says.
    struct Typed {
        QString source = {};
        QString second = {};                ///< of a model that reads pairs
        std::optional<QString> target = {}; ///< absent: model A's own translation
        int beam = 1;
        std::optional<int> skip = {};   ///< tokens left out at the beginning of a source that is too long
        QList<std::int64_t> added = {}; ///< tokens that a decoder alone went on with
        bool random = false;            ///< the next of them is drawn
        double temperature = 1;         ///< see Sampling
        int candidates = usualTopK;     ///< that are listed, and drawn from
        QString sourceLanguage = {};    ///< see Request; a model without languages passes over them
        QString targetLanguage = {};
        QString task = {}; ///< of the model's, by name
        friend bool operator==(const Typed&, const Typed&) = default;

        /// What of it a model reads.
        Request request(const ModelInfo& model) const;

        static constexpr int usualTopK = 10;
    };

    Models models;
    Typed typed;
    WhatIf changes;
    Selection::Chosen selection;
    QString view = QStringLiteral("alignment"); ///< as ViewType::name
    QMap<QString, QVariantMap> choices;         ///< of each view that has any, see TraceView::choices()
    QString trace;                              ///< a file whose run is on show; empty: model A's is
    QString notes;                              ///< of the user
    ExportChoices exported;
    friend bool operator==(const Session&, const Session&) = default;

    /// True when models are asked for the same as by the other.
    bool runsAs(const Session& other) const;
    /// In a word or two, what is another than in `before`; empty: nothing.
    QString differenceFrom(const Session& before) const;
    /// True for a change as typing and dragging make them: many, which one calls one.
    bool flowsFrom(const Session& before) const;

    /// JSON, with the version of its form.
    std::string written() const;
    /// Takes any version up to this program's. What is not there is as at first, what is not known is passed over.
    /// @param place stands for the file in messages
    /// @throws Error naming the field that is wrong, or the version that is newer
    static Session read(std::string_view json, const std::string& place);

    /// @throws Error
    static Session load(const std::filesystem::path& file);
    void save(const std::filesystem::path& file) const;
    /// True for a name that ends in .headlight.
    static bool isIn(const QString& file);
};

} // namespace headlight
