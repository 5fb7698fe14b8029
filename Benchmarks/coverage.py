"""Which models compile as torch.export writes them, and match PyTorch.

    python3 -m venv .venv-coverage
    .venv-coverage/bin/pip install torch==2.13.0+cpu numpy
    .venv-coverage/bin/pip install --no-deps torchvision==0.28.0 timm transformers
    .venv-coverage/bin/pip install pillow huggingface_hub safetensors tokenizers regex pyyaml \
        requests tqdm packaging httpx typer
    make release
    .venv-coverage/bin/python Benchmarks/coverage.py --output docs/coverage.md

Models have random weights and run in float32. Each is exported in a process of its own, compiled by
`ait compile`, run by its library, and compared with eager PyTorch: the largest error relative to the
norm of an output. `--dry-run` reads programs and infers shapes, and compiles nothing.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

TORCHVISION = [
    "alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "wide_resnet50_2",
    "resnext50_32x4d", "densenet121", "squeezenet1_0", "googlenet", "inception_v3",
    "shufflenet_v2_x1_0", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
    "mnasnet1_0", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf", "regnet_x_400mf",
    "convnext_tiny", "vit_b_32", "swin_t", "swin_v2_t", "maxvit_t",
]  # fmt: skip

TIMM = [
    "bat_resnext26ts", "beit_base_patch16_224", "botnet26t_256", "cait_xxs24_224",
    "coat_lite_tiny", "coatnet_0_rw_224", "convit_tiny", "convmixer_768_32", "convnext_atto",
    "convnextv2_atto", "crossvit_9_240", "cs3darknet_s", "cspresnet50", "darknet53",
    "davit_tiny", "deit_tiny_patch16_224", "deit3_small_patch16_224", "densenet121", "dla34",
    "dm_nfnet_f0", "dpn68", "eca_resnet33ts", "edgenext_xx_small", "efficientformer_l1",
    "efficientformerv2_s0", "efficientnet_b0", "efficientvit_b0", "ese_vovnet19b_dw",
    "eva02_tiny_patch14_224", "fastvit_t8", "fbnetc_100", "focalnet_tiny_srf", "gcresnet33ts",
    "gcvit_xxtiny", "gernet_s", "ghostnet_100", "gmixer_24_224", "gmlp_s16_224",
    "halonet26t", "hardcorenas_a", "hgnet_tiny", "hiera_tiny_224", "hrnet_w18_small",
    "inception_next_tiny", "inception_v4", "lambda_resnet26t", "lcnet_050", "levit_128s",
    "maxvit_rmlp_pico_rw_256", "mixer_s16_224", "mixnet_s", "mnasnet_small",
    "mobilenetv3_small_050", "mobilenetv4_conv_small", "mobileone_s0", "mobilevit_xxs",
    "mobilevitv2_050", "mvitv2_tiny", "nest_tiny", "nf_resnet50", "pit_ti_224",
    "poolformer_s12", "pvt_v2_b0", "regnetx_002", "regnety_002", "repghostnet_050",
    "repvgg_a0", "repvit_m0_9", "res2net50_26w_4s", "resmlp_12_224", "resnest14d", "resnet18",
    "resnetv2_50", "resnext50_32x4d", "rexnet_100", "selecsls42b", "semnasnet_050", "seresnet18",
    "skresnet18", "starnet_s1", "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256",
    "tiny_vit_5m_224", "tinynet_e", "tnt_s_patch16_224", "tresnet_m", "twins_svt_small",
    "vgg11", "visformer_tiny", "vit_tiny_patch16_224", "volo_d1_224", "xception41",
    "xcit_nano_12_p16_224",
]  # fmt: skip

# Class, configuration class, small sizes; what the model is given.
_SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "vocab_size": 512,
}  # fmt: skip
_TEXT = "text"
_IMAGE = "image"
TRANSFORMERS = {
    "bert": ("BertModel", "BertConfig", _SMALL, _TEXT),
    "roberta": ("RobertaModel", "RobertaConfig", _SMALL, _TEXT),
    "distilbert": (
        "DistilBertModel", "DistilBertConfig",
        {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128, "vocab_size": 512}, _TEXT,
    ),
    "deberta-v2": (
        "DebertaV2Model", "DebertaV2Config",
        {**_SMALL, "relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]},
        _TEXT,
    ),
    "electra": ("ElectraModel", "ElectraConfig", {**_SMALL, "embedding_size": 32}, _TEXT),
    "albert": ("AlbertModel", "AlbertConfig", {**_SMALL, "embedding_size": 32}, _TEXT),
    "mpnet": ("MPNetModel", "MPNetConfig", _SMALL, _TEXT),
    "t5-encoder": (
        "T5EncoderModel", "T5Config",
        {"d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4, "vocab_size": 512},
        _TEXT,
    ),
    "gpt2": (
        "GPT2Model", "GPT2Config",
        {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 512, "n_positions": 128}, _TEXT,
    ),
    "opt": (
        "OPTModel", "OPTConfig",
        {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 128,
         "vocab_size": 512, "word_embed_proj_dim": 64}, _TEXT,
    ),
    "llama": ("LlamaModel", "LlamaConfig", {**_SMALL, "num_key_value_heads": 2}, _TEXT),
    "mistral": ("MistralModel", "MistralConfig", {**_SMALL, "num_key_value_heads": 2}, _TEXT),
    "qwen2": ("Qwen2Model", "Qwen2Config", {**_SMALL, "num_key_value_heads": 2}, _TEXT),
    "qwen3": ("Qwen3Model", "Qwen3Config", {**_SMALL, "num_key_value_heads": 2, "head_dim": 16}, _TEXT),
    "gemma": ("GemmaModel", "GemmaConfig", {**_SMALL, "num_key_value_heads": 1, "head_dim": 16}, _TEXT),
    "phi": ("PhiModel", "PhiConfig", _SMALL, _TEXT),
    "falcon": ("FalconModel", "FalconConfig", _SMALL, _TEXT),
    "bloom": ("BloomModel", "BloomConfig", {"hidden_size": 64, "n_layer": 2, "n_head": 4, "vocab_size": 512}, _TEXT),
    "mamba": ("MambaModel", "MambaConfig", {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 512, "state_size": 8}, _TEXT),
    "clip-text": ("CLIPTextModel", "CLIPTextConfig", {**_SMALL, "eos_token_id": 1}, _TEXT),
    "clip-vision": ("CLIPVisionModel", "CLIPVisionConfig", {**_SMALL, "image_size": 64, "patch_size": 16}, _IMAGE),
    "siglip": ("SiglipVisionModel", "SiglipVisionConfig", {**_SMALL, "image_size": 64, "patch_size": 16}, _IMAGE),
    "vit": ("ViTModel", "ViTConfig", {**_SMALL, "image_size": 64}, _IMAGE),
    "deit": ("DeiTModel", "DeiTConfig", {**_SMALL, "image_size": 64}, _IMAGE),
    "swin": ("SwinModel", "SwinConfig", {"image_size": 64, "embed_dim": 24, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4}, _IMAGE),
    "convnext": ("ConvNextModel", "ConvNextConfig", {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2, "image_size": 64}, _IMAGE),
    "dinov2": ("Dinov2Model", "Dinov2Config", {**_SMALL, "image_size": 56, "patch_size": 14}, "image56"),
    "segformer": ("SegformerModel", "SegformerConfig", {"hidden_sizes": [16, 32, 40, 64], "depths": [1, 1, 1, 1]}, _IMAGE),
    "detr": ("DetrModel", "DetrConfig", {"d_model": 64, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_queries": 10, "use_pretrained_backbone": False}, _IMAGE),
    "whisper-encoder": ("WhisperEncoder", "WhisperConfig", {"d_model": 64, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128, "max_source_positions": 50, "num_mel_bins": 16}, "mel"),
    "wav2vec2": ("Wav2Vec2Model", "Wav2Vec2Config", {**_SMALL, "conv_dim": [32, 32], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}, "wave"),
}  # fmt: skip


def all_models() -> list:
    """The names of all models, by their libraries."""
    names = [f"torchvision/{name}" for name in TORCHVISION]
    names += [f"timm/{name}" for name in TIMM]
    return names + [f"transformers/{name}" for name in TRANSFORMERS]


# MARK: - In a process of its own: a model to a program and PyTorch's outputs


def import_libraries() -> None:
    """Imports what models are made of, and declares what torchvision's extension would register.

    That extension needs a build of its own.
    """
    import torch

    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # Named when torchvision is imported, not called by the models here.
    for name in (
        "qnms", "roi_align", "qroi_align", "roi_pool", "ps_roi_align", "ps_roi_pool",
        "deform_conv2d", "_roi_align_backward", "_roi_pool_backward", "_ps_roi_align_backward",
        "_ps_roi_pool_backward", "_deform_conv2d_backward",
    ):  # fmt: skip
        library.define(f"{name}(Tensor x) -> Tensor")
    globals()["_library"] = library
    import timm  # noqa: F401
    import torchvision  # noqa: F401
    import transformers  # noqa: F401


def make(name: str):
    """A model in eval mode, and an input of batch 2."""
    import torch

    kind, model_name = name.split("/", 1)
    if kind == "torchvision":
        import torchvision

        size = 299 if model_name == "inception_v3" else 224
        extra = {"init_weights": False} if model_name in ("googlenet", "inception_v3") else {}
        model = torchvision.models.get_model(model_name, weights=None, **extra)
        return model.eval(), picture(2, 3, size, size)
    if kind == "timm":
        import timm

        model = timm.create_model(model_name, pretrained=False).eval()
        return model, picture(2, *model.default_cfg.get("input_size", (3, 224, 224)))
    import transformers

    class_name, config_name, sizes, given = TRANSFORMERS[model_name]
    config = getattr(transformers, config_name)(**sizes)
    config.use_cache = False
    module = transformers
    if class_name == "WhisperEncoder":
        from transformers.models.whisper import modeling_whisper as module
    model = Tensors(getattr(module, class_name)(config)).eval()
    return model, {
        _TEXT: lambda: torch.randint(2, 500, (2, 16)),
        _IMAGE: lambda: picture(2, 3, 64, 64),
        "image56": lambda: picture(2, 3, 56, 56),
        "mel": lambda: torch.randn(2, 16, 100),
        "wave": lambda: torch.randn(2, 1600),
    }[given]()


def Tensors(model):  # noqa: N802, made when torch is imported
    """A module that gives the tensors of a model's result, without classes of the library's."""
    import torch

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            leaves = torch.utils._pytree.tree_leaves(self.model(x))
            return tuple(each for each in leaves if torch.is_tensor(each))

    return Module()


def picture(*shape):
    """Random images that differ in large and in small: noise alone has the same averages everywhere."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    coarse = F.interpolate(torch.randn(*shape[:2], 4, 4), shape[2:], mode="bilinear")
    return coarse + 0.5 * torch.randn(*shape) + torch.randn(*shape[:2], 1, 1)


def disturb(model, x) -> None:
    """Makes a model's result depend on all of it, and on its input.

    What starts as a constant becomes random: zeros at the end of a branch would hide the branch. Batch
    norms get the statistics of an input, as training gives them: with means of 0 and variances of 1
    deep networks forget what they are given, and any result would match.
    """
    import torch

    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.8, 1.25)
    for parameter in model.parameters():
        if parameter.numel() > 1 and parameter.min() == parameter.max():
            parameter.add_(torch.empty_like(parameter).uniform_(-0.1, 0.1))
    norms = [
        each for each in model.modules()
        if isinstance(each, torch.nn.modules.batchnorm._BatchNorm) and each.track_running_stats
    ]  # fmt: skip
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    model(x)
    for norm, momentum in zip(norms, momenta):
        norm.eval()
        norm.momentum = momentum


def export(name: str, folder: str) -> None:
    """Writes `model.pt2`, and an input and eager outputs as `data.pt`, or `error` with the cause."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        model, x = make(name)
        with torch.no_grad():
            disturb(model, x)
            try:
                batch = torch.export.Dim("batch", min=1, max=16)
                program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},))
                # Another batch than the one that the program was exported with.
                x, is_dynamic = torch.cat([x, x[:1].flip(-1)]), True
            except Exception:  # the model fixes its batch
                program, is_dynamic = torch.export.export(model, (x,)), False
            outputs = model(x)
        leaves = torch.utils._pytree.tree_leaves(outputs)
        flat = [each for each in leaves if torch.is_tensor(each)]
        torch.save({"input": x, "outputs": flat, "dynamic": is_dynamic}, f"{folder}/data.pt")
        torch.export.save(program, f"{folder}/partial.pt2")
        os.replace(f"{folder}/partial.pt2", f"{folder}/model.pt2")
    except BaseException as error:
        with open(f"{folder}/error", "w") as file:
            file.write(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from error


def export_apart(name: str, folder: str, seconds: float) -> str | None:
    """Exports in a copy of this process, which has imported the libraries; returns why it failed."""
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(f"{folder}/model.pt2") and not os.path.exists(f"{folder}/error"):
        process = multiprocessing.get_context("fork").Process(target=export, args=(name, folder))
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
            return f"takes over {seconds:.0f} s"
    if os.path.exists(f"{folder}/model.pt2"):
        return None
    if os.path.exists(f"{folder}/error"):
        with open(f"{folder}/error") as file:
            return last_line(file.read())
    return "the process died"


def compare(folder: str) -> None:
    """Prints the largest error of an output relative to its norm, as JSON."""
    import torch

    sys.path.insert(0, os.path.join(ROOT, "python"))
    from aitemplate.compiler import Model

    data = torch.load(f"{folder}/data.pt")
    with Model(f"{folder}/model.so") as model:
        names = list(model.get_input_name_to_index_map())
        results = list(model.run_with_tensors({names[0]: data["input"]}).values())
    worst = 0.0 if len(results) == len(data["outputs"]) else float("inf")
    spread = float("inf")
    for got, expected in zip(results, data["outputs"]):
        if got.shape != expected.shape:
            worst = float("inf")
        elif expected.numel() != 0:
            expected, got = expected.double(), got.double()
            norm = max(expected.norm().item(), 1e-30)
            error = (got - expected).norm().item() / norm
            worst = max(worst, error if error == error else float("inf"))
            if expected.dim() > 1 and expected.shape[0] > 1:
                away = (expected[1:] - expected[:1]).norm().item()
                spread = min(spread, away / norm)
    result = {"error": worst, "outputs": len(results), "dynamic": data["dynamic"]}
    print(json.dumps({**result, "spread": None if spread == float("inf") else spread}))


# MARK: - All models


def last_line(text: str) -> str:
    """The line of a failure's text that says most."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower() or "Error" in line]
    return (errors or lines or ["?"])[-1][:300]


def run(command: list, seconds: float) -> subprocess.CompletedProcess:
    """A process with a time limit; one that takes longer fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"takes over {seconds:.0f} s")


def measure(name: str, options: argparse.Namespace) -> dict:
    """Exports, compiles, runs and compares a model."""
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        kept = os.path.join(options.keep or folder, name.replace("/", "--"))
        cause = export_apart(name, kept, options.timeout)
        if cause:
            return {"model": name, "stage": "export", "cause": cause}
        if options.export_only:
            return {"model": name, "stage": "exported"}
        result = compiled(name, f"{kept}/model.pt2", folder, options)
        if result["stage"] != "compiled":
            return result
        os.symlink(os.path.abspath(f"{kept}/data.pt"), f"{folder}/data.pt")
        done = run([sys.executable, __file__, "--compare", folder], options.timeout)
        if done.returncode:
            return {**result, "stage": "run", "cause": last_line(done.stderr)}
        result.update(json.loads(done.stdout.strip().splitlines()[-1]))
    if not result["error"] <= options.tolerance:
        result["stage"] = "differs"
    elif result["spread"] is not None and result["error"] > 1e-2 * result["spread"]:
        # The same whatever the input: such a match says nothing.
        result.update(stage="compare", cause="the result hardly depends on the input")
    else:
        result["stage"] = "matches"
    return result


def compiled(name: str, program: str, folder: str, options: argparse.Namespace) -> dict:
    """Compiles a program to `model.so`; with --dry-run, only reads it."""
    result = {"model": name}
    if options.dry_run:
        done = run([options.ait, "compile", program, "--dry-run"], options.timeout)
        if done.returncode:
            missing = re.findall(r"^- (\S+)", done.stdout, re.M)
            cause = ", ".join(missing) or last_line(done.stderr)
            return {**result, "stage": "import", "cause": cause}
        return {**result, "stage": "imports"}
    begin = time.time()
    command = [options.ait, "compile", program, "-o", f"{folder}/model.so", "--work-directory", folder]
    done = run(command, options.timeout)
    if done.returncode:
        return {**result, "stage": "compile", "cause": last_line(done.stderr)}
    return {**result, "stage": "compiled", "seconds": round(time.time() - begin, 1)}


def table(results: list, options: argparse.Namespace) -> str:
    """The results as Markdown."""
    import timm
    import torch
    import torchvision
    import transformers

    libraries = [(each.__name__, each.__version__) for each in (torch, torchvision, timm, transformers)]
    lines = [
        "# Coverage",
        "",
        "Generated by `Benchmarks/coverage.py --output docs/coverage.md`; do not edit. Its head says which "
        "packages it needs; these were " + ", ".join(" ".join(each) for each in libraries) + ".",
        "",
        "Models are exported by `torch.export` and compiled for the CPU as they are. Weights are random, "
        "also those that start as constants; batch norms have the statistics of an input. A model "
        f"*matches* if the error of each output, relative to its norm, is at most {options.tolerance:g} "
        "against eager PyTorch in float32, and below a hundredth of the *spread*: how far the outputs of "
        "two inputs lie apart, relative to the norm. *dynamic*: exported with a symbolic batch of 1 to 16 "
        "at batch 2, and run at batch 3. Images have the sizes of the models' defaults, for torchvision "
        "224 (299 for Inception); transformers are small configurations with images of 64 and 16 tokens. "
        "The last column is the time of `ait compile` on a machine shared with others, with objects of "
        "earlier models reused.",
        "",
        "| library | models | match | of them dynamic |",
        "| --- | ---: | ---: | ---: |",
    ]
    kinds = sorted({each["model"].split("/")[0] for each in results})
    for kind in [*kinds, ""]:
        some = [each for each in results if each["model"].startswith(kind)]
        matching = [each for each in some if each["stage"] == "matches"]
        dynamic = sum(1 for each in matching if each["dynamic"])
        lines.append(f"| {kind or 'all'} | {len(some)} | {len(matching)} | {dynamic} |")
    lines += [
        "",
        "| model | result | error | spread | batch | compiled in |",
        "| --- | --- | ---: | ---: | --- | ---: |",
    ]
    for result in sorted(results, key=lambda each: each["model"]):
        cause = result.get("cause", "").replace("|", "\\|")
        verdict = result["stage"] if not cause else f"{result['stage']} fails: {cause}"
        error = f"{result['error']:.1e}" if "error" in result else ""
        spread = f"{result['spread']:.1e}" if result.get("spread") is not None else ""
        batch = {True: "dynamic", False: "fixed", None: ""}[result.get("dynamic")]
        seconds = f"{result['seconds']} s" if "seconds" in result else ""
        mark = " ¹" if result.get("earlier") else ""
        lines.append(f"| {result['model']}{mark} | {verdict} | {error} | {spread} | {batch} | {seconds} |")
    if any(result.get("earlier") for result in results):
        lines += [
            "",
            "¹ Measured with an earlier state of this script and of the importer: images were noise, and "
            "batch norms had random statistics near those they start with.",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--ait", default=os.path.join(ROOT, ".build/release/ait"))
    parser.add_argument("--only", default="*", help="models whose names match, such as 'timm/*'")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--keep", help="a folder for exported programs, which are used again")
    parser.add_argument("--export-only", action="store_true")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--resume", help="a file of results as JSON lines, which is continued")
    parser.add_argument("--output", help="where the table goes")
    options = parser.parse_args()
    if options.compare:
        return compare(options.compare)
    import_libraries()
    known = {}
    if options.resume and os.path.exists(options.resume):
        with open(options.resume) as file:
            known = {each["model"]: each for each in map(json.loads, file)}
    for name in all_models():
        if not fnmatch.fnmatch(name, options.only) or name in known:
            continue
        known[name] = measure(name, options)
        print(json.dumps(known[name]), flush=True)
        if options.resume:
            with open(options.resume, "a") as file:
                file.write(json.dumps(known[name]) + "\n")
    if options.output:
        partial = f"{options.output}.partial"
        with open(partial, "w") as file:
            file.write(table(list(known.values()), options))
        os.replace(partial, options.output)


if __name__ == "__main__":
    main()
