"""The page: a header, the shelf, and the tabs in reading order."""

import gradio as gr

from studio.library import Library
from studio.pages import api, edit, explore, hierarchy, invert, mix
from studio.session import Session
from studio.staged import Sampler
from studio.strip import strip

TITLE = "Latent Studio"


def build(session: Session) -> gr.Blocks:
    """All tabs over one session; launching is left to the caller."""
    with gr.Blocks(title=TITLE, delete_cache=(3600, 7200), analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(
            f"# {TITLE}\nSee, use and teach the latent spaces of GANs. The faces come from **{session.generator.name}**, "
            f"{session.generator.resolution} px, computed on **{session.generator.device}**.",
            elem_id="title",
        )
        shelf, library, sampler = strip(session), Library(session), Sampler(session)
        with gr.Tabs():
            with gr.Tab("Invert", id="invert", elem_id="tab-invert"):
                invert.build(session, shelf, library)
            with gr.Tab("Edit directions", id="edit", elem_id="tab-edit") as tab:
                keys = edit.build(session, shelf, page, tab, library)
            with gr.Tab("Latent explorer", id="explore", elem_id="tab-explore") as tab:
                explore.build(session, shelf, tab, library, keys, sampler)
            with gr.Tab("Local mixing", id="mix", elem_id="tab-mix") as tab:
                mix.build(session, shelf, tab, library)
            with gr.Tab("FineGAN hierarchy sampler", id="hierarchy", elem_id="tab-hierarchy") as tab:
                hierarchy.build(sampler, tab)
        api.build(session, library, sampler)

        def leave(request: gr.Request) -> None:
            """Forget a visitor who closed the page."""
            session.visitors.leave(request.session_hash)

        page.unload(leave)
    return page
