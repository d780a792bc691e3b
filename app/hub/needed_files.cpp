#include "app/hub/needed_files.h"

#include <QSet>

#include <algorithm>

namespace headlight {

NeededFiles neededFiles(const QStringList& files) {
    const QSet<QString> there(files.begin(), files.end());
    NeededFiles needed;
    const auto has = [&](const char* name) { return there.contains(QLatin1String(name)); };
    if (has("config.json"))
        needed.config = QStringLiteral("config.json");
    for (const auto* name :
         {"generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
          "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "target_vocab.json"})
        if (has(name))
            needed.small << QLatin1String(name);
    for (const auto& name : files)
        if ((name.endsWith(QLatin1String(".model")) || name.endsWith(QLatin1String(".spm"))) && isPlainFileName(name))
            needed.small << name;
    for (const auto* name : {"model.safetensors", "pytorch_model.bin"}) {
        const auto index = QLatin1String(name) + QStringLiteral(".index.json");
        needed.index = !has(name) && there.contains(index);
        if (has(name) || needed.index) {
            needed.weights = needed.index ? index : QString(QLatin1String(name));
            return needed;
        }
    }
    constexpr std::pair<const char*, const char*> others[] = {
        {".gguf", "GGUF"}, {".h5", "TensorFlow"}, {".msgpack", "Flax"}, {".onnx", "ONNX"}, {".ot", "Rust"}};
    for (const auto& [end, form] : others)
        if (std::any_of(files.begin(), files.end(),
                        [ending = QLatin1String(end)](const QString& name) { return name.endsWith(ending); }))
            needed.unread << QLatin1String(form);
    return needed;
}

bool isPlainFileName(const QString& name) {
    constexpr qsizetype longest = 200;
    return !name.isEmpty() && name.size() <= longest && name.front() != QLatin1Char('.')
           && std::all_of(name.begin(), name.end(), [](QChar letter) {
                  return letter.unicode() < 128
                         && (letter.isLetterOrNumber() || QStringLiteral("._-+ ").contains(letter));
              });
}

} // namespace headlight
