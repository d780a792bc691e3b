#include "app/help_text.h"

#include "core/engine.h"

#include <QCoreApplication>

namespace headlight {

namespace {

struct HelpText {
    Q_DECLARE_TR_FUNCTIONS(headlight::HelpText)
public:
    static QString section(const QString& heading, const QString& text) {
        return QStringLiteral("<h3>%1</h3><p>%2</p>").arg(heading, text);
    }
    static QString lookingAt();
    static QString about();
};

QString HelpText::lookingAt() {
    QString text = QStringLiteral("<h2>%1</h2>").arg(tr("What am I looking at?"));
    text +=
        QStringLiteral("<p>%1</p>")
            .arg(tr("While a model translates, each of its steps mixes what it knows about the words of the source. "
                    "Attention is the recipe of that mixture: one weight for each word, all of a step together 1. "
                    "With every key that you press the models run again and their weights are drawn."));
    text += section(tr("Rows and columns"),
                    tr("A row is a query: the token that looks. A column is a key: the token that is looked at. "
                       "Each row sums to 1. Layers and heads are counted from 0. In Matrix the bars on the right tell "
                       "how broadly each row looks, those below what each column receives; point at one of them, and "
                       "the other bars show its weights alone."));
    text +=
        section(tr("Colours and dots"),
                tr("One scale for all: the further a colour is from the background, the larger the weight. "
                   "The dot of a row is on its largest weight. Where two models are subtracted, one hue is for more "
                   "in A, the other for more in B, and the background for no difference."));
    text +=
        section(tr("The rows of a decoder"),
                tr("A decoder's step takes in the word before and gives out the next one. The weights are those of "
                   "the step, and either word may name the row. A recurrent decoder looks for the word that it is "
                   "about to give out; many heads of a Transformer look at what belongs to the word just taken in. "
                   "“Rows” in the bar on top chooses; “automatic” judges by the map itself. "
                   "(Chen et al. 2020, <i>Accurate Word Alignment Induction from Neural Machine Translation</i>.)"));
    text += section(
        tr("Your own target"),
        tr("Type into the target, and the models no longer choose the words but are led through yours. So one "
           "can ask where they would look if they said this. With two models B is always led through A's words, "
           "so that both have the same rows."));
    text += section(tr("Additive, and scaled dot-product"),
                    tr("The recurrent model scores a pair by v·tanh(W s + U h) (Bahdanau et al. 2015); the Transformer "
                       "by q·k/√d, in many heads and layers at once (Vaswani et al. 2017). “best aligning” shows "
                       "that head of the Transformer whose map reads best as a word alignment."));
    text +=
        section(tr("Models that do not translate"),
                tr("An encoder alone, such as BERT, reads all of a text at once: each row may look to both sides. Put "
                   "its mask (Ctrl+M) where a word is to be guessed. A decoder alone, such as GPT-2, sees only what "
                   "stands before: the triangle. Ctrl+Return adds its next token, Ctrl+Shift+Return goes on until "
                   "stopped. Temperature divides the logits before the softmax; “top” is how many candidates are "
                   "listed, and drawn from when Sample is on. A text that is too long is cut, and ‹ › below its "
                   "tokens move what is read."));
    text += section(
        tr("What if"),
        tr("In Playback choose another candidate, or click a source token to make the step look there and nowhere "
           "else: the decoder goes on from it. In Heads a head can be switched off: what it read counts as nothing "
           "(Michel et al. 2019, <i>Are Sixteen Heads Really Better than One?</i>). While heads are off or "
           "attention is forced, B is A as it is. A line above the views tells what was changed and leads back.")
            + QStringLiteral("</p><p>")
            + tr("“change against the full run” draws the weights of the one minus those of the other. A dashed frame "
                 "in Alignment is where a row looked most in full, unless the links of people are framed; in Playback "
                 "dashed lines and upright marks are what the model in full looks at and says."));
    text += section(
        tr("Kinds of heads"),
        tr("previous, next, same, first: at least half of the head's weight is on the token before, behind, on the "
           "token itself, on the first one; delimiter: on special tokens. Where several of these hold, the largest "
           "share names the head, and of equal ones the first in this order. broad: none holds, and its entropy is at "
           "least 4/5 of what equal weights would have; mixed: nothing of that. All measures are means over the rows, "
           "of which one "
           "that may see a single key, such as a decoder’s first, does not count: entropy in bits, confidence (the "
           "largest weight of a row), distance in tokens. After Clark et al. 2019, <i>What Does BERT Look At?</i>, "
           "and Voita et al. 2019, <i>Analyzing Multi-Head Self-Attention</i>. Rollout follows attention down through "
           "all layers (Abnar & Zuidema 2020)."));
    text += section(
        tr("What weights leave out"),
        tr("A head may give its weight to a token whose vector is almost nothing. Norms, in “What a cell shows”, are "
           "the lengths of what is brought, |a (x V + b) O|, here as shares of their row (Kobayashi et al. 2020, "
           "<i>Attention is Not Only a Weight</i>); they do not know that heads may cancel each other. ALTI, in the "
           "bar on top, measures how near each token's part is to what a layer's attention gives out, residual "
           "connection and norm included (Ferrando et al. 2022, <i>Measuring the Mixing of Contextual Information in "
           "the Transformer</i>); it leaves out what feed-forward parts do. Lens reads each layer as if it were the "
           "last, by the model's own last norm and output layer (nostalgebraist 2020); early layers need not speak "
           "that language. <code>headlight analyse</code> writes these numbers and more."));
    text +=
        section(tr("Attention is not explanation"),
                tr("A large weight says where information could flow from, not that the model decided because of it. "
                   "What is behind a token has already been mixed with its neighbours, and quite different weights can "
                   "give the same output. Read Jain & Wallace 2019, <i>Attention is not Explanation</i>, and "
                   "Wiegreffe & Pinter 2019, <i>Attention is not not Explanation</i>, before you build on a picture."));
    text +=
        section(tr("With the keyboard"),
                tr("Ctrl and a number: the views, from the left. Alt+Up, Alt+Down: layers. Alt+Left, Alt+Right: heads. "
                   "In a view the arrows move the pointer, Return locks the pair under it, Esc frees it; Ctrl and an "
                   "arrow go on to the next part of the picture. In Playback Left and Right step, Space plays. "
                   "Ctrl+L: back to the source. Ctrl+F finds a token. Ctrl+Z and Ctrl+Shift+Z undo and redo all that "
                   "was done, in any view. Ctrl+E exports. Ctrl+Plus and Ctrl+Minus change the size of text, F9 hides "
                   "the panels at the sides, F11 fills the screen."));
    text += section(tr("Sessions"),
                    tr("File saves all that is on show as a session: texts, models, what is chosen, switched off, "
                       "forced and locked, and your notes (Ctrl+J). A saved PNG or SVG keeps it, too, unless the "
                       "export is told not to: drop one on the window, and it is as it was."));
    return text;
}

QString HelpText::about() {
    const auto compute = Engine::compute();
    const auto row = [](const QString& name, const QString& value) {
        return QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>").arg(name, value.toHtmlEscaped());
    };
    return QStringLiteral("<h2>Headlight %1</h2><p>%2</p><table>")
               .arg(QLatin1String(HEADLIGHT_VERSION), tr("Shows where attention looks while you type."))
           + row(QStringLiteral("Qt"), QLatin1String(qVersion()))
           + row(QStringLiteral("LibTorch"), QString::fromStdString(compute.libtorch))
           + row(QStringLiteral("BLAS"), compute.blas.empty() ? tr("not found") : QString::fromStdString(compute.blas))
           + row(tr("Threads"), QString::number(compute.threads))
           + QStringLiteral("</table><p>%1</p>")
                 .arg(tr("Free software under the GNU General Public License, version 3 or later. Plots are drawn with "
                         "QCustomPlot."));
}

} // namespace

QString lookingAtText() {
    return HelpText::lookingAt();
}

QString aboutText() {
    return HelpText::about();
}

HelpPage::HelpPage(const QString& richText, QWidget* parent) : QTextBrowser(parent) {
    setOpenLinks(false);
    setHtml(richText);
}

QVariant HelpPage::loadResource(int, const QUrl&) {
    return {};
}

} // namespace headlight
