// What is asked of a model and what is known of it, as plain data: the words between the program and the engine.
#pragma once

#include "core/trace/trace.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headlight {

/// Words that a model was taught to take as the name of what to do with the text behind them: T5's
/// `translate English to German: `.
struct Task {
    std::string name;
    std::string prefix;
};

/// What a model is, known once it is open.
struct ModelInfo {
    std::string name;   ///< the folder's name
    std::string family; ///< model_type of config.json
    bool hasEncoder = false;
    bool hasDecoder = false; ///< with an encoder it answers a source, alone it goes on with a text
    std::int64_t parameters = 0;
    int encoderLayers = 0; ///< with attention within the encoder
    int decoderLayers = 0; ///< with attention within the decoder
    int crossLayers = 0;   ///< with attention from decoder to encoder
    int heads = 0;         ///< of one layer; 0 without attention
    int maxPositions = 0;  ///< longest input in tokens; longer text is cut, and the Trace says so
    bool hasTokenizer = false;
    bool readsPairs = false;         ///< an encoder that was taught to tell a second text from the first
    bool readsSpaces = false;        ///< a space at the beginning of a text changes its first token
    std::string mask;                ///< the token whose word a masked language model guesses, `[MASK]`; else empty
    std::vector<std::string> labels; ///< of a classification, of the whole or of each token; else empty
    bool answersQuestions = false;   ///< marks in the second of two texts where it answers the first
    bool scoresChoices = false;      ///< says how well the second of two texts goes on with the first
    bool takesGlobalTokens = false;  ///< Request::globalTokens are for it
    std::vector<std::string> sourceLanguages; ///< codes that a source may be in; empty: nothing is to be chosen
    std::vector<std::string> targetLanguages; ///< the same of what it decodes
    std::string sourceLanguage;               ///< what is read as where a request names none; may be empty
    std::string targetLanguage;               ///< the same of what it decodes
    std::vector<Task> tasks;                  ///< that its config names
};

/// Which costly parts of a Trace to record beside the attention weights.
struct Recording {
    bool scores = false;  ///< scores before softmax
    bool vectors = false; ///< query, key, value and input vectors; of additive attention W s, U h, v and h
    bool logits = false;
    bool norms = false; ///< Trace::norms, by another pass over the run's tokens; as the next two
    bool alti = false;
    bool lens = false;
    bool positions = true;
    int candidates = 5;      ///< predictions kept for each step
    int maskCandidates = 10; ///< the same where a masked language model has a word to guess
    /// For each row the ids of tokens whose probability is kept, candidates or not; rows beyond it have none.
    std::vector<std::vector<std::int64_t>> asked = {};
};

/// How a decoder alone goes on with a text.
struct Sampling {
    bool random = false;    ///< draw the next token; else take the most probable
    double temperature = 1; ///< logits are divided by it, for the probabilities on show, too
    int topK = 0;           ///< of how many candidates one is drawn; 0: of all
    std::uint64_t seed = 1;
};

/// One run, as plain data. Text is UTF-8; invalid bytes are read as U+FFFD.
struct Request {
    std::string source;
    std::optional<std::string> second;    ///< read together with `source` by an encoder alone
    std::optional<std::string> target;    ///< forced target; without it an encoder–decoder decodes its own
    std::vector<std::int64_t> sourceIds;  ///< when not empty, taken instead of `source`, specials included
    std::vector<std::int64_t> segmentIds; ///< of each of `sourceIds`; empty: all 0
    /// When not empty, what the decoder takes in, start token included; a decoder alone takes it in after the source.
    std::vector<std::int64_t> targetIds;
    /// What an encoder–decoder's own translation begins with, start token left out; it goes on from there.
    std::vector<std::int64_t> beginIds;
    std::string sourceLanguage = {}; ///< one of the model's; empty: what it takes by itself
    std::string targetLanguage = {}; ///< the same
    std::string prefix = {};         ///< read before the source without being part of it, such as a task's
    /// Tokens of the source, counted from 0 with specials, that see all and are seen by all, where others have windows.
    std::vector<std::int64_t> globalTokens = {};
    bool specialsInText = true; ///< a typed `[MASK]` is that token; else a text like any other
    Intervention intervention;
    int beam = 1;      ///< 1: greedy
    int maxLength = 0; ///< most tokens to decode; 0: the model's own limit, of a decoder alone none
    Sampling sampling;
    /// Of a source longer than the model reads, how many tokens to leave out at its beginning. Without it an encoder
    /// reads the beginning, a decoder alone the end.
    std::optional<int> skip;
    Recording record;
    /// Bytes that the run may take, its Trace included; texts are cut to that. 0: a quarter of the memory that is free.
    std::int64_t memory = 0;
};

} // namespace headlight
