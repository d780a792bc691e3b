// The choice among tokenizers by a folder's files.
#include "core/text/tokenizer.h"

#include "core/error.h"
#include "core/text/legacy_files.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/special_tokens.h"
#include "core/text/tokenizer_json.h"

namespace headlight {

std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder))
        throw Error(Error::Kind::NotFound, folder.string(), "there is no such folder");
    const auto has = [&](const char* file) { return std::filesystem::exists(folder / file); };
    const FolderSettings settings = readFolderSettings(folder);
    if (has("source.spm") && has("target_vocab.json"))
        throw Error(Error::Kind::Unsupported, folder.string(),
                    "source and target have vocabularies of their own (target_vocab.json)",
                    "use a model with one vocabulary for both");
    if (has("source.spm") && has("vocab.json"))
        return openMarian(folder, settings);
    if (has("tokenizer.json"))
        return openTokenizerJson(folder / "tokenizer.json", settings);
    if (has("vocab.txt"))
        return openBertFiles(folder, settings);
    if (has("vocab.json") && has("merges.txt"))
        return openBytePairFiles(folder, settings);
    if (has("vocab.json") && has("sentencepiece.bpe.model"))
        return openM2m100(folder, settings);
    if (has("sentencepiece.bpe.model"))
        return openXlmRoberta(folder, settings);
    if (has("spm.model"))
        return openT5(folder / "spm.model", settings);
    if (has("spiece.model"))
        return settings.isOf("pegasus") ? openPegasus(folder, settings) : openT5(folder / "spiece.model", settings);
    if (has("tokenizer.model"))
        return isTiktoken(folder / "tokenizer.model") ? openTiktoken(folder / "tokenizer.model", settings)
                                                      : openLlama(folder, settings);
    throw Error(Error::Kind::NotFound, folder.string(),
                "no tokenizer that we know: looked for source.spm with vocab.json (Marian), tokenizer.json, vocab.txt "
                "(BERT), vocab.json with merges.txt (GPT-2), sentencepiece.bpe.model (XLM-R), spm.model (DeBERTa), "
                "spiece.model (T5) and tokenizer.model (Llama)");
}

} // namespace headlight
