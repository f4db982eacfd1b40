class NotesController < ActionController::Base
  def index; end
  def show; end
end
