"""What each event handler of the browser UI asks for: who adds a handler decides here, once more, who may call it."""

from collections.abc import Mapping
from typing import Final

from app.domain.rights import Right

SIGNED_IN: Final = "signed in"
ANYONE: Final = "anyone"
"""Opens and closes what is on the screen already, or is the way in: reads and changes nothing of anybody's."""

EXPECTED: Final[Mapping[str, Mapping[Right | str, str]]] = {
    "AddContactsState": {
        ANYONE: "by_hand close choose",
        Right.EDIT_CAMPAIGNS: "add add_chosen",
        Right.VIEW: "from_book find",
    },
    "AgentsState": {
        ANYONE: "set_open choose_voice ask_to_switch_off",
        Right.EDIT_AGENTS: "save switch",
        Right.VIEW: "load watch open",
    },
    "AudienceConditionState": {
        ANYONE: "set_open choose_field choose_op",
        Right.VIEW: "open add",
    },
    "AudienceFormState": {
        ANYONE: "close choose tick_outcome drop_condition leave_out choose_mode",
        Right.EDIT_CAMPAIGNS: "add",
        Right.VIEW: "open count",
    },
    "AudiencesState": {
        Right.EDIT_CAMPAIGNS: "end",
        Right.VIEW: "load watch ask",
    },
    "BasicsState": {
        Right.EDIT_CAMPAIGNS: "choose_purpose choose_channel choose_numbers load keep back forward catch_up "
        "keep_mine take_theirs",
        Right.VIEW: "follow",
    },
    "BlackoutState": {
        Right.MANAGE_SETTINGS: "add remove",
        Right.VIEW: "load",
    },
    "BulkHistoryState": {
        ANYONE: "set_open",
        Right.EDIT_CONTACTS: "cancel",
        Right.VIEW: "open watch",
    },
    "CallLogState": {
        ANYONE: "close",
        Right.VIEW: "load watch find filter_by turn_page clear show",
    },
    "CampaignActionsState": {
        ANYONE: "close",
        Right.EDIT_CAMPAIGNS: "duplicate",
        Right.RUN_CAMPAIGNS: "ask_start start resume confirm_carrier pause",
    },
    "CampaignContactsState": {
        Right.VIEW: "load watch find filter_by sort_by turn_page clear",
    },
    "CampaignQuestionState": {
        ANYONE: "close tick tick_hang_up",
        Right.EDIT_CAMPAIGNS: "cancel delete",
        Right.RUN_CAMPAIGNS: "retry confirm_carrier",
        Right.VIEW: "ask",
    },
    "CampaignSettingsState": {
        Right.VIEW: "load watch",
    },
    "CampaignState": {
        Right.VIEW: "load watch",
    },
    "CampaignsState": {
        Right.EDIT_CAMPAIGNS: "create",
        Right.VIEW: "load watch find filter_by sort_by turn_page clear",
    },
    "ContactBulkState": {
        ANYONE: "tick tick_all untick close",
        Right.EDIT_CONTACTS: "ask confirm submit",
        Right.VIEW: "tick_page",
    },
    "ContactCardState": {
        ANYONE: "reset_card set_open set_editing ask edit",
        Right.EDIT_CONTACTS: "save suppress lift delete",
        Right.VIEW: "load open read_again",
    },
    "ContactsState": {
        Right.VIEW: "load find sort_by turn_page choose_match drop_condition clear",
    },
    "ContactsStepState": {
        ANYONE: "ask",
        Right.EDIT_CONTACTS: "load import_and_go_on",
    },
    "FilterFormState": {
        ANYONE: "set_open choose_field choose_op",
        Right.VIEW: "open add",
    },
    "HoldState": {
        ANYONE: "close",
        Right.EDIT_CONTACTS: "ask hold lift",
    },
    "HomeState": {
        SIGNED_IN: "find_the_way",
    },
    "ImportState": {
        ANYONE: "count_upload end_upload refuse",
        Right.EDIT_CONTACTS: "load watch receive paste use_sheet use_column name_zone use_zones start give_up",
    },
    "ImportDetailsState": {
        ANYONE: "set_open ask",
        Right.EDIT_CONTACTS: "cancel go_on",
        Right.VIEW: "load open refresh choose_kind",
    },
    "ImportsState": {
        ANYONE: "close",
        Right.EDIT_CONTACTS: "undo",
        Right.VIEW: "load watch turn_page ask",
    },
    "KeysState": {
        ANYONE: "set_open ask_to_revoke",
        Right.MANAGE_KEYS: "create revoke",
        Right.VIEW: "load",
    },
    "LegalHoursState": {
        Right.MANAGE_SETTINGS: "save",
        Right.VIEW: "load",
    },
    "MessageState": {
        Right.EDIT_CAMPAIGNS: "choose_missing load keep back forward catch_up keep_mine take_theirs",
        Right.VIEW: "follow try_on",
    },
    "NumberRestState": {
        ANYONE: "close",
        Right.EDIT_NUMBERS: "rest resume",
        Right.VIEW: "ask",
    },
    "NumbersState": {
        ANYONE: "set_open",
        Right.EDIT_NUMBERS: "save fetch make_default switch",
        Right.VIEW: "load watch open ask_to_switch_off",
    },
    "OverviewState": {
        Right.RUN_CAMPAIGNS: "settle",
        Right.VIEW: "load watch choose_run",
    },
    "PaceState": {
        Right.EDIT_CAMPAIGNS: "choose_hours choose_clock add_window remove_window choose_start load keep back "
        "forward catch_up keep_mine take_theirs",
        Right.VIEW: "follow",
    },
    "PeopleState": {
        Right.EDIT_CAMPAIGNS: "load add_ticked add_matching add_by_hand",
        Right.VIEW: "find turn tick",
    },
    "PersonPageState": {
        Right.VIEW: "load show_more",
    },
    "PersonState": {
        ANYONE: "close",
        Right.VIEW: "show read_again",
    },
    "ReviewState": {
        ANYONE: "close",
        Right.RUN_CAMPAIGNS: "ask go",
        Right.VIEW: "load watch check_again",
    },
    "SegmentsState": {
        ANYONE: "set_open ask_to_save close",
        Right.EDIT_CONTACTS: "save save_changes delete",
        Right.VIEW: "open ask use",
    },
    "SelectionState": {
        ANYONE: "tick tick_all untick ask close",
        Right.RUN_CAMPAIGNS: "do confirm skip_instead confirm_carrier",
        Right.VIEW: "tick_page",
    },
    "SessionState": {
        ANYONE: "sign_out",
        Right.VIEW: "enter watch",
    },
    "SettingsState": {
        Right.MANAGE_SETTINGS: "save",
        Right.VIEW: "load watch",
    },
    "SetupState": {
        ANYONE: "load complete",
    },
    "SignInState": {
        ANYONE: "load sign_in",
    },
    "StopSwitchState": {
        ANYONE: "ask close",
        Right.RESUME_DIALING: "resume",
        Right.STOP_DIALING: "stop",
    },
    "SuppressionChangeState": {
        ANYONE: "ask_to_add close",
        Right.EDIT_CONTACTS: "add lift",
        Right.VIEW: "ask_to_lift show_history",
    },
    "SuppressionFileState": {
        ANYONE: "open set_open choose_scope write_reason count_upload refuse",
        Right.EDIT_CONTACTS: "receive",
    },
    "SuppressionsState": {
        Right.VIEW: "load find filter_by clear turn_page refresh",
    },
    "WizardState": {
        Right.EDIT_CAMPAIGNS: "take_defaults",
        Right.VIEW: "watch",
    },
}
"""State -> guard -> its handlers."""
