class VolumesController < ActionController::Base
  def cover; end
  def destroy; end
  def index; end
  def show; end
end
