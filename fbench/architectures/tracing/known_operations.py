"""Which aten operations contract no dimension, so that 0 multiply-accumulates is the right number for them.

PyTorch marks most of them itself (as pointwise, as a reduction, as a view); the rest stand here by name. An
operation that is neither here nor has a formula in :mod:`fbench.architectures.tracing.products` is reported as not
counted, never as 0: Fourier transforms, decompositions and solvers of matrices, quantised layers, operations of
other packages.
"""

from __future__ import annotations

import re
from typing import Any, Final

import torch

from fbench.architectures.tracing.memory_traffic import CREATIONS, OVERWRITING, PICKING
from fbench.architectures.tracing.operations import COPIES, KINDS, MOVES, REDUCTIONS, REORDERINGS, SIZE_CHANGES
from fbench.architectures.tracing.operations import WINDOWED_POOLS as POOLS

_ELEMENTWISE: Final = """
    _add_relu _conj _fake_quantize_learnable_per_channel_affine _fake_quantize_learnable_per_tensor_affine
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fused_dropout _masked_scale _masked_softmax
    _prelu_kernel _weight_norm_interface _thnn_fused_gru_cell _thnn_fused_lstm_cell _transform_bias_rescale_qkv addr
    bernoulli binary_cross_entropy binary_cross_entropy_with_logits binomial bucketize cauchy celu complex copysign
    cross cummax cummin cumprod cumsum _cummax_helper _cummin_helper _logcumsumexp logcumsumexp dequantize dropout
    elu exponential fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask
    feature_dropout floor_divide gelu geometric glu hardshrink heaviside huber_loss isin int_repr leaky_relu
    linalg_cross log_normal log_sigmoid_forward log_softmax masked_fill mish mse_loss multinomial native_dropout
    normal poisson polar quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic quantized_batch_norm
    rand_like random randint_like randn_like relu relu6 renorm rrelu_with_noise rrelu_with_noise_functional
    searchsorted selu silu smooth_l1_loss soft_margin_loss softmax softplus softshrink _standard_gamma threshold to
    tril triu uniform where _sparse_softmax _sparse_log_softmax _nested_tensor_softmax_with_shape
"""
_NORMALISATIONS: Final = """
    _batch_norm_with_update _batch_norm_with_update_functional _native_batch_norm_legit_functional batch_norm_elemt
    batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats batch_norm_update_stats
    miopen_batch_norm rms_norm _fused_rms_norm
"""
_REDUCTIONS: Final = """
    all allclose amax amin aminmax _aminmax any argmax argmin argsort bincount count_nonzero dist equal
    _embedding_bag _embedding_bag_forward_only histc histogram kthvalue linalg__powsum linalg_vector_norm logsumexp
    median mode nanmedian nansum native_norm nll_loss_forward nll_loss2d_forward norm prod segment_reduce sort std
    std_mean sum topk trace unique_consecutive _unique _unique2 unique_dim unique_dim_consecutive var var_mean
    _sparse_sum _sparse_csr_sum _sparse_csr_prod _is_all_true _is_any_true is_nonzero multi_margin_loss
    multilabel_margin_loss_forward _ctc_loss
"""
_POOLS: Final = """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool3d fractional_max_pool2d
    fractional_max_pool3d max_unpool2d max_unpool3d mkldnn_adaptive_avg_pool2d mkldnn_max_pool3d
    quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d
"""
_RESAMPLING: Final = """
    _grid_sampler_2d_cpu_fallback _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_lanczos2d_aa
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d cudnn_grid_sampler grid_sampler_2d
    grid_sampler_3d upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d upsample_trilinear3d
"""
_MOVES: Final = """
    _chunk_cat _coalesce _coalesced _copy_from _index_put_impl _jagged_to_padded_dense_forward _lazy_clone
    _mkldnn_reshape _mkldnn_transpose _nested_from_padded _nested_from_padded_tensor _nested_tensor_from_mask
    _nested_tensor_from_tensor_list _pack_padded_sequence _padded_dense_to_jagged_forward _pin_memory _reshape_copy
    _resize_output _sparse_mask_projection _spdiags _stack _to_dense _to_sparse _to_sparse_bsc _to_sparse_bsr
    _to_sparse_csc _to_sparse_csr _unsafe_index _unsafe_index_put _unsafe_masked_index
    _unsafe_masked_index_put_accumulate as_strided_scatter block_diag cartesian_prod cat channel_shuffle col2im
    combinations copy_sparse_to_sparse detach diag_embed diagonal_scatter fill flip im2col index_add index_copy
    index_fill index_put index_reduce lift lu_unpack masked_scatter masked_select native_channel_shuffle nonzero
    nonzero_static pixel_shuffle pixel_unshuffle put reflection_pad1d reflection_pad3d repeat_interleave
    replication_pad1d replication_pad3d resize resize_as rot90 scatter scatter_add scatter_reduce select_scatter set
    slice_scatter sparse_mask split_with_sizes_copy take to_mkldnn to_padded_tensor tril_indices triu_indices
    unfold_copy
"""
_NO_ARITHMETIC: Final = """
    _assert_async _assert_scalar _assert_tensor_metadata _cudnn_init_dropout_state _cudnn_rnn_flatten_weight
    _efficientzerotensor _functional_assert_async _fused_sdp_choice _has_same_storage_numel _local_scalar_dense
    _nested_compute_contiguous_strides_offsets _nested_tensor_size _nested_tensor_storage_offsets
    _nested_tensor_strides _nnz _print _sparse_coo_tensor_with_dims _sparse_coo_tensor_with_dims_and_tensors
    _sparse_compressed_tensor_with_dims _validate_compressed_sparse_indices arange bartlett_window blackman_window
    empty empty_permuted empty_strided eye from_file full hamming_window hann_window is_coalesced is_pinned
    is_same_size is_set_to kaiser_window linspace logspace ones rand randint randn randperm range record_stream
    scalar_tensor size sparse_compressed_tensor sparse_coo_tensor stride sym_size sym_stride zeros
"""

_BY_NAME: Final = " ".join((_ELEMENTWISE, _NORMALISATIONS, _REDUCTIONS, _POOLS, _RESAMPLING, _MOVES, _NO_ARITHMETIC))

CONTRACTS_NOTHING: Final = frozenset(_BY_NAME.split()) | {
    *(*KINDS, *MOVES, *REDUCTIONS, *POOLS, *SIZE_CHANGES, *REORDERINGS, *COPIES),
    *(*CREATIONS, *OVERWRITING, *PICKING),
}
_BACKWARD: Final = re.compile("(_dense)?(_double)?_backward(_data)?$")
"""A gradient inside a forward pass contracts what its operation does."""
_FAMILIES: Final = ("_foreach_", "_test_", "special_", "sym_constrain", "_functional_sym", "_amp_", "bitwise_", "__")


def contracts_nothing(func: Any, name: str) -> bool:
    """Whether an operation is known to sum no products over a dimension, by its base name."""
    namespace = str(func).partition(".")[0]
    if namespace not in {"aten", "prim"} or not isinstance(func, torch._ops.OpOverload):
        return False
    plain = _BACKWARD.sub("", name.removesuffix("_copy"))
    if plain in CONTRACTS_NOTHING or name in CONTRACTS_NOTHING or name.startswith(_FAMILIES):
        return True
    tags = {str(tag).rpartition(".")[2] for tag in func.tags}
    return func.is_view or bool(tags & {"pointwise", "reduction", "inplace_view", "view_copy"})
