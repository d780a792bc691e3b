// Where models lie on this machine: folders, as users choose them, and the cache of the HuggingFace hub.
#pragma once

#include "core/error.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// The folder that holds config.json, from whatever of a model was chosen: this folder, a file in it, or the folder
/// that the hub keeps around it (models--org--name with refs and snapshots), of which refs/main is taken, else the
/// newest snapshot. A folder that is none of these comes back as it is: opening it says what is missing.
/// @throws Error when it is not there, or is a file or a cache without a model
std::filesystem::path modelFolder(const std::filesystem::path& chosen);

/// The files of weights that an index such as model.safetensors.index.json names, each once.
/// @param place stands for the index in messages
/// @throws Error when it is none
std::vector<std::string> shardsOf(std::string_view index, const std::string& place);

/// What to call the model of such a folder: `org/name` in the hub's cache, else the folder's own name.
std::string modelName(const std::filesystem::path& folder);

/// A model in the hub's cache.
struct HubModel {
    std::string name;             ///< `org/name`, or `name` alone
    std::filesystem::path folder; ///< that holds config.json
    std::string modelType;        ///< of config.json; there need be no family for it
    std::uintmax_t bytes = 0;     ///< on disk, all revisions together
    bool whole = true;            ///< false: weights are missing, or some of their shards
};

/// True for a folder with a configuration and the weights in one of their forms, all shards of them.
bool isWholeModel(const std::filesystem::path& folder);

/// $HF_HUB_CACHE, else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME or ~/.cache. It need not exist.
std::filesystem::path hubCache();
/// The folders of a cache that are models': models--org--name.
std::vector<std::filesystem::path> hubRepositories(const std::filesystem::path& cache);
/// The models of a cache, by name. What cannot be read, or holds no configuration, is left out.
std::vector<HubModel> hubModels(const std::filesystem::path& cache = hubCache());

} // namespace headlight
